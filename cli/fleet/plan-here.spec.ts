import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCampaign } from '../../coordinator/plan/parse-campaign.ts';
import { copyOfEmojiSd, editJson, emojiSd } from '../../worker/diffusion/emoji-sd.spec-support.ts';
import { planHere, planSummaryHere } from './plan-here.ts';

let copy: string;
beforeAll(async () => {
  copy = await copyOfEmojiSd();
});
afterAll(() => rm(copy, { recursive: true }));

/** Lines 1 to 10; what is changed stands in line 2 or 3, or after the concepts. */
const campaign = ({
  checkpoint = `checkpoint: ${copy}`,
  sampling = 'guidance: 2.5',
  more = '',
} = {}): string => `name: c
${checkpoint}
sampling: { ${sampling} }
tau: 2
mask:
  sites:
    ffn2:
concepts:
  - { name: Neon, kind: style, things: [a cat, a bus], phrase: in Neon }
${more}
`;
const planned = (text: string) => planHere(text, 'c.yaml', parseCampaign(text, 'c.yaml'));

/** What is refused of the copy while some of its files are changed. */
async function refused(
  changes: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  settings: Parameters<typeof campaign>[0] = {},
): Promise<unknown> {
  for (const [file, change] of Object.entries(changes)) await editJson(join(copy, file), change);
  try {
    return await planned(campaign(settings)).catch((error: unknown) => error);
  } finally {
    for (const file of Object.keys(changes)) await cp(join(emojiSd, file), join(copy, file));
  }
}

describe('a plan without a fleet', () => {
  it.each(['', 'numerics: onnxruntime-1.30 cpu'])('counts what a campaign costs: %j', async (numerics) => {
    const plan = await planned(campaign({ more: numerics }));
    const summary = planSummaryHere(plan, 2, []);
    expect(summary).toMatchObject({ units: 2, done: 0, unetCalls: 8, referenceUnetCalls: 204, warnings: [] });
    expect(summary.numerics).toBe(numerics.slice('numerics: '.length));
  });

  it.each<[string, Readonly<Record<string, Readonly<Record<string, unknown>>>>, string, RegExp]>([
    ['an inpainting UNet', { 'unet/config.json': { in_channels: 9 } }, 'config-unsupported', /in_channels = 9/],
    [
      'another pipeline',
      { 'model_index.json': { _class_name: 'StableDiffusionInpaintPipeline' } },
      'config-unsupported',
      /StableDiffusionInpaintPipeline/,
    ],
    [
      'a VAE of another class',
      { 'vae/config.json': { _class_name: 'AutoencoderTiny' } },
      'config-unsupported',
      /AutoencoderTiny/,
    ],
    [
      'a VAE that the index loads as another class',
      { 'model_index.json': { vae: ['diffusers', 'AutoencoderTiny'] } },
      'config-unsupported',
      /AutoencoderTiny/,
    ],
    [
      'a tokenizer larger than the embedding',
      { 'text_encoder/config.json': { vocab_size: 100 } },
      'tokenizer-invalid',
      /vocab_size is 100/,
    ],
    [
      'an embedding of another size than its config says',
      { 'text_encoder/config.json': { vocab_size: 2000 } },
      'tensor-mismatch',
      /2000/,
    ],
    [
      'latents that the UNet does not make',
      { 'vae/config.json': { latent_channels: 8 } },
      'config-invalid',
      /latent_channels/,
    ],
    [
      'a text encoder of another width',
      { 'unet/config.json': { cross_attention_dim: 64 } },
      'config-invalid',
      /hidden_size is 128/,
    ],
    [
      'a decoder of other weights',
      { 'vae/config.json': { block_out_channels: [32, 64, 128] } },
      'tensor-mismatch',
      /vae|decoder/,
    ],
    [
      'a scheduler that there is not',
      { 'model_index.json': { scheduler: ['diffusers', 'UniPCMultistepScheduler'] } },
      'config-unsupported',
      /UniPCMultistepScheduler/,
    ],
    [
      'a setting of the scheduler',
      { 'scheduler/scheduler_config.json': { beta_schedule: 'sigmoid' } },
      'config-unsupported',
      /beta_schedule is "sigmoid"/,
    ],
  ])('refuses %s, and says where the checkpoint is named', async (_, changes, code, why) => {
    const error = await refused(changes);
    expect(error).toMatchObject({ code, isInput: true });
    expect((error as Error).message).toMatch(why);
    const [file = ''] = Object.keys(changes);
    const where = expect.stringMatching(/^c\.yaml:2:13 checkpoint: /) as string;
    expect(error).toMatchObject({ where });
    if (code.startsWith('config') && !file.startsWith('model'))
      expect(error).toMatchObject({ where: expect.stringContaining(file) as string });
  });

  it.each([
    ['steps: 1000', 'sampling-invalid', '3:20 sampling.steps', /timestep 1000/],
    ['scheduler: ddim, steps: 600', 'sampling-invalid', '3:37 sampling.steps', /500/],
    ['size: 62x64', 'campaign-invalid', '3:19 sampling.size', /62x64 does not divide by 4/],
    ['size: 8x16384', 'sampling-invalid', '3:19 sampling.size', /2×4096/],
  ])('refuses sampling with %s, as drawing does', async (sampling, code, at, why) => {
    const trained = {
      'scheduler/scheduler_config.json': { num_train_timesteps: sampling.includes('600') ? 500 : 1000 },
    };
    const error = await refused(trained, { sampling });
    expect(error).toMatchObject({ code, where: `c.yaml:${at}` });
    expect((error as Error).message).toMatch(why);
  });

  it.each([
    [
      'verify: { prompts: [a], thresholds: { ua: 1 }, sampling: { steps: 1000 } }',
      'c.yaml:10:67 verify.sampling.steps',
    ],
    [
      'verify: { prompts: [a], thresholds: { ua: 1 } }\ntune: { sampling: { size: 30 } }',
      'c.yaml:11:27 tune.sampling.size',
    ],
  ])('refuses what later commands would draw: %s', async (more, where) => {
    expect(await refused({}, { more })).toMatchObject({ where, isInput: true });
  });

  it('names the line of a site, a layer or a tau that the checkpoint does not have', async () => {
    const text = campaign();
    const layers = text.replace('ffn2:\n', 'ffn2: { layers: { nowhere: 0.1 } }\n');
    await expect(planned(layers)).rejects.toMatchObject({
      code: 'campaign-invalid',
      where: 'c.yaml:7:32 mask.sites.ffn2.layers.nowhere',
    });
    await expect(planned(text.replace('tau: 2', 'tau: 60'))).rejects.toMatchObject({ where: 'c.yaml:4:6 tau' });
  });

  it.each([
    ['is not there', () => Promise.resolve(), 'checkpoint-layout'],
    [
      'was not fetched',
      async (weights: string) => {
        await writeFile(weights, 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n');
      },
      'safetensors-invalid',
    ],
    [
      'has pickles only',
      (weights: string) => rename(weights, weights.replace('safetensors', 'bin')),
      'checkpoint-pickled',
    ],
  ])('says where a checkpoint is named that %s', async (_, spoil, code) => {
    const weights = join(copy, 'unet', 'diffusion_pytorch_model.safetensors');
    const whole = await readFile(weights);
    await spoil(weights);
    const missing = code === 'checkpoint-layout' ? { checkpoint: 'checkpoint: /nope/x' } : {};
    const error = await refused({}, missing);
    await rm(weights.replace('safetensors', 'bin'), { force: true });
    await writeFile(weights, whole);
    const where = expect.stringMatching(/^c\.yaml:2:13 checkpoint: \/(nope\/x|.*\/unet)/) as string;
    expect(error).toMatchObject({ code, where, isInput: true });
  });
});
