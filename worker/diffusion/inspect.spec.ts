import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { SessionThread } from '../session/session-thread.ts';
import { copyOfEmojiSd, editJson, emojiSd, openModel } from './emoji-sd.spec-support.ts';
import { inspectCheckpoint } from './inspect.ts';

describe('inspecting emoji-sd', () => {
  it('finds what its model card says', async () => {
    const found = await inspectCheckpoint(await openCheckpoint(emojiSd));
    expect(found).toMatchObject({
      family: 'StableDiffusionPipeline',
      scheduler: 'pndm',
      imageSize: { width: 64, height: 64 },
      unsupported: [],
    });
    const parts = found.components.map(({ name, className, parameters }) => [name, className, parameters / 1e6]);
    expect(parts.map(([name, className]) => [name, className])).toEqual([
      ['text_encoder', 'CLIPTextModel'],
      ['unet', 'UNet2DConditionModel'],
      ['vae', 'AutoencoderKL'],
    ]);
    for (const [i, millions] of [0.78, 8.79, 0.68].entries()) expect(parts[i]?.[2]).toBeCloseTo(millions, 2);
    expect(Object.fromEntries(found.sites.map(({ name, layers }) => [name, layers.length]))).toEqual({
      ffn2: 7,
      ffn1: 7,
      'attn-key': 7,
      'attn-value': 7,
      text: 3,
    });
  });
});

describe('a checkpoint that cannot be run', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await copyOfEmojiSd();
  });
  afterEach(() => rm(directory, { recursive: true }));

  const inspect = async () => (await inspectCheckpoint(await openCheckpoint(directory))).unsupported;
  const edit = (file: string, changes: Readonly<Record<string, unknown>>) => editJson(join(directory, file), changes);

  it.each([
    ['model_index.json', { _class_name: 'StableDiffusionXLPipeline' }, 'config-unsupported'],
    ['model_index.json', { text_encoder: ['transformers', 'CLIPTextModelWithProjection'] }, 'config-unsupported'],
    ['model_index.json', { vae: ['diffusers', 'AutoencoderTiny'] }, 'config-unsupported'],
    ['model_index.json', { scheduler: ['diffusers', 'LCMScheduler'] }, 'config-unsupported'],
    ['scheduler/scheduler_config.json', { prediction_type: 'flow' }, 'config-unsupported'],
    ['text_encoder/config.json', { hidden_act: 8 }, 'config-invalid'],
    ['unet/config.json', { class_embed_type: 'timestep' }, 'config-unsupported'],
    ['unet/config.json', { cross_attention_dim: 96 }, 'tensor-mismatch'],
    ['vae/config.json', { latent_channels: 8 }, 'tensor-mismatch'],
    ['vae/config.json', { _class_name: 'AutoencoderTiny' }, 'config-unsupported'],
  ])('%s %o is listed', async (file, changes, code) => {
    await edit(file, changes);
    const refusals = await inspect();
    expect(refusals.map((refusal) => refusal.code)).toContain(code);
    for (const { what, where, why } of refusals) expect([what, where, why].join('\n')).not.toContain('undefined');
  });

  it('all that is refused is listed, not only the first', async () => {
    await edit('unet/config.json', { class_embed_type: 'timestep' });
    await edit('vae/config.json', { latent_channels: 8 });
    await writeFile(join(directory, 'tokenizer/vocab.json'), '[]');
    const places = (await inspect()).map(({ where }) => where ?? '').join('\n');
    for (const part of ['unet', 'vae', 'tokenizer']) expect(places).toContain(part);
  });

  it('parts that were made for other models are refused by inspect and when it is opened, alike', async () => {
    const vocabulary = JSON.parse(await readFile(join(directory, 'tokenizer/vocab.json'), 'utf8')) as object;
    await writeFile(join(directory, 'tokenizer/vocab.json'), JSON.stringify({ ...vocabulary, 'zebra</w>': 1414 }));
    const [refusal, ...others] = await inspect();
    expect(others).toEqual([]);
    expect(refusal).toMatchObject({ code: 'tokenizer-invalid', what: 'the tokenizer does not fit the text encoder' });
    const thread = new SessionThread();
    await expect(openModel(thread, directory)).rejects.toMatchObject(refusal!);
    await thread.close();
  });
});
