import { mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commonDirectory } from './common-directory.ts';
import {
  changedCheckpoint,
  type CheckpointChanges,
  newDirectory,
  refusal,
  safetensorsFile,
  smallCheckpoint,
  writeTree,
} from './fixture.spec-support.ts';
import { openCheckpoint } from './open-checkpoint.ts';

const weights = (...names: string[]) => safetensorsFile(names.map((name) => ({ name, dtype: 'F16', shape: [2, 3] })));

describe('openCheckpoint', () => {
  let directory: string;
  beforeEach(async () => void (directory = await newDirectory()));
  afterEach(() => rm(directory, { recursive: true }));

  const changed = (changes: CheckpointChanges) => changedCheckpoint(directory, changes);

  it('opens the reference checkpoint', async () => {
    const checkpoint = await openCheckpoint('checkpoint/emoji-sd');
    expect(checkpoint.modelIndex['_class_name']).toBe('StableDiffusionPipeline');
    expect(checkpoint.schedulerConfig['_class_name']).toBe('PNDMScheduler');
    const { unet, textEncoder, vae, tokenizer } = checkpoint;
    expect([unet, textEncoder, vae].map(({ name }) => name)).toEqual(['unet', 'text_encoder', 'vae']);
    expect(unet.config['block_out_channels']).toEqual([64, 128, 192]);
    const parameters = [unet, textEncoder, vae].map((component) =>
      [...component.weights.tensors.values()].reduce((sum, { begin, end }) => sum + (end - begin) / 2, 0),
    );
    expect(parameters.map((count) => Math.round(count / 1e4) / 100)).toEqual([8.79, 0.78, 0.68]);
    expect(textEncoder.weights.tensors.has('text_model.final_layer_norm.weight')).toBe(true);
    expect(basename(tokenizer.vocab ?? '')).toBe('vocab.json');
    expect(basename(tokenizer.specialTokens ?? '')).toBe('special_tokens_map.json');
  });

  it('follows the links of a hub cache, and gives the real paths', async () => {
    const snapshot = join(directory, 'models--a--b', 'snapshots', '0123abcd');
    const blobs = join(directory, 'models--a--b', 'blobs');
    await mkdir(blobs, { recursive: true });
    for (const [i, [path, content]] of Object.entries(smallCheckpoint()).entries()) {
      await writeFile(join(blobs, `blob${i}`), content);
      const link = join(snapshot, path);
      await mkdir(dirname(link), { recursive: true });
      await symlink(relative(dirname(link), join(blobs, `blob${i}`)), link);
    }
    const { unet, textEncoder, vae } = await openCheckpoint(snapshot);
    const files = [unet, textEncoder, vae].flatMap((component) => component.weights.files.map(({ path }) => path));
    expect(commonDirectory(files)).toBe(await realpath(blobs));
    expect(unet.weights.tensors.get('conv_in.weight')?.file).toBe(files[0]);
    expect(await refusal(() => openCheckpoint(join(directory, 'models--a--b')))).toContain(
      'name one of the directories in its snapshots/',
    );
  });

  it('says that a download was not finished if a link leads nowhere', async () => {
    await changed({ 'unet/diffusion_pytorch_model.safetensors': undefined });
    await symlink('../../blobs/none', join(directory, 'unet', 'diffusion_pytorch_model.safetensors'));
    expect(await refusal(() => openCheckpoint(directory))).toMatch(
      /^checkpoint-layout: .*ENOENT.* download was not finished/,
    );
  });

  describe('with names of other versions', () => {
    it('finds old attention of a VAE by its new name; the entry keeps its own', async () => {
      const stored = 'decoder.mid_block.attentions.0.proj_attn.weight';
      const { vae } = await openCheckpoint(
        await changed({ 'vae/diffusion_pytorch_model.safetensors': weights(stored) }),
      );
      expect(vae.weights.tensors.get('decoder.mid_block.attentions.0.to_out.0.weight')?.name).toBe(stored);
      expect(vae.weights.tensors.size).toBe(1);
    });

    it('leaves the buffer of positions out', async () => {
      const stored = weights('text_model.embeddings.position_ids', 'text_model.final_layer_norm.weight');
      const { textEncoder } = await openCheckpoint(await changed({ 'text_encoder/model.safetensors': stored }));
      expect([...textEncoder.weights.tensors.keys()]).toEqual(['text_model.final_layer_norm.weight']);
    });

    it('refuses an old name beside the new one', async () => {
      const stored = weights('final_layer_norm.weight', 'text_model.final_layer_norm.weight');
      expect(
        await refusal(async () => openCheckpoint(await changed({ 'text_encoder/model.safetensors': stored }))),
      ).toMatch(/^tensor-mismatch: .*it is there twice: as "final_layer_norm\.weight"/);
    });
  });

  it('takes tokenizer.json alone, and vocab.json with merges.txt before it', async () => {
    const fast = { 'tokenizer/tokenizer.json': '{}' };
    const { tokenizer } = await openCheckpoint(await changed(fast));
    expect(basename(tokenizer.vocab ?? '')).toBe('vocab.json');
    const alone = await openCheckpoint(await changed({ ...fast, 'tokenizer/merges.txt': undefined }));
    expect(alone.tokenizer.merges).toBeUndefined();
    expect(basename(alone.tokenizer.tokenizerJson ?? '')).toBe('tokenizer.json');
  });

  it.each(['diffusion_pytorch_model.bin', 'model.ckpt', 'model.pt'])('never opens a pickle: %s', async (name) => {
    await changed({ 'unet/diffusion_pytorch_model.safetensors': undefined, [`unet/${name}`]: 'pickle' });
    expect(await refusal(() => openCheckpoint(directory))).toMatch(
      /^checkpoint-pickled: .*unet.*safe_serialization=True/,
    );
  });

  it.each([
    ['model_index.json', 'there is no model_index.json'],
    ['scheduler/scheduler_config.json', 'the component scheduler cannot be listed'],
    ['unet/config.json', 'there is no config.json; there is diffusion_pytorch_model.safetensors'],
    [
      'text_encoder/model.safetensors',
      'there is no model.safetensors, model.fp16.safetensors, model.bf16.safetensors, nor the index of its shards; there is config.json',
    ],
    ['tokenizer/vocab.json', 'there is neither vocab.json with merges.txt nor tokenizer.json; there is merges.txt'],
  ])('names a missing %s', async (path, why) => {
    const said = await refusal(async () => openCheckpoint(await changed({ [path]: undefined })));
    expect(said).toMatch(/^checkpoint-layout: /);
    expect(said).toContain(why);
  });

  it('says what to do with a single file, and with a directory that is none', async () => {
    await writeTree(directory, { 'v1-5.safetensors': '', 'v1-5.ckpt': '' });
    expect(await refusal(() => openCheckpoint(join(directory, 'v1-5.safetensors')))).toMatch(
      /^checkpoint-layout: .*from_single_file/,
    );
    expect(await refusal(() => openCheckpoint(join(directory, 'v1-5.ckpt')))).toMatch(
      /^checkpoint-pickled: .*from_single_file/,
    );
    expect(await refusal(() => openCheckpoint(directory))).toMatch(
      /^checkpoint-layout: .*v1-5\.ckpt.*from_single_file/,
    );
    expect(await refusal(() => openCheckpoint(join(directory, 'none')))).toMatch(/^checkpoint-layout: .*ENOENT/);
  });
});
