import { mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commonDirectory } from './common-directory.ts';
import {
  newDirectory,
  refusal,
  safetensorsFile,
  smallCheckpoint,
  type Tree,
  writeTree,
} from './fixture.spec-support.ts';
import { openCheckpoint } from './open-checkpoint.ts';

const weights = (...names: string[]) => safetensorsFile(names.map((name) => ({ name, dtype: 'F16', shape: [2, 3] })));
const index = (map: Record<string, string>) => JSON.stringify({ metadata: { total_size: 24 }, weight_map: map });

describe('openCheckpoint', () => {
  let directory: string;
  beforeEach(async () => void (directory = await newDirectory()));
  afterEach(() => rm(directory, { recursive: true }));

  /** Nothing but the small checkpoint with these files added, those of `undefined` left out. */
  async function changed(changes: Readonly<Record<string, Tree[string] | undefined>>): Promise<string> {
    await rm(directory, { recursive: true });
    const files = Object.entries({ ...smallCheckpoint(), ...changes }).filter(([, content]) => content !== undefined);
    await writeTree(directory, Object.fromEntries(files) as Tree);
    return directory;
  }

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

  describe('with shards', () => {
    const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
    const sharded = {
      'text_encoder/model.safetensors': undefined,
      [`text_encoder/${names[0]}`]: weights('encoder.a', 'encoder.b'),
      [`text_encoder/${names[1]}`]: weights('encoder.c'),
      'text_encoder/model.safetensors.index.json': index({ 'encoder.a': names[0], 'encoder.c': names[1] }),
    };
    const withMap = (map: Record<string, string>) =>
      changed({ ...sharded, 'text_encoder/model.safetensors.index.json': index(map) });

    it('reads them all, whole', async () => {
      const { textEncoder } = await openCheckpoint(await changed(sharded));
      expect(textEncoder.weights.files.map(({ path }) => basename(path))).toEqual(names);
      const found = [...textEncoder.weights.tensors].map(([name, { file }]) => [name, basename(file)]);
      expect(found).toEqual([
        ['text_model.encoder.a', names[0]],
        ['text_model.encoder.b', names[0]],
        ['text_model.encoder.c', names[1]],
      ]);
    });

    it('takes the single file first for transformers, the index first for diffusers, as they do', async () => {
      const both = {
        ...sharded,
        'text_encoder/model.safetensors': weights('encoder.a'),
        'unet/shard.safetensors': weights('conv_out.weight'),
        'unet/diffusion_pytorch_model.safetensors.index.json': index({ 'conv_out.weight': 'shard.safetensors' }),
      };
      const { unet, textEncoder } = await openCheckpoint(await changed(both));
      expect([...textEncoder.weights.tensors.keys()]).toEqual(['text_model.encoder.a']);
      expect([...unet.weights.tensors.keys()]).toEqual(['conv_out.weight']);
    });

    it.each([
      '../vae/x.safetensors',
      '/etc/x.safetensors',
      '..',
      '',
      'a\\x.safetensors',
      'C:x.safetensors',
      'x\0.safetensors',
    ])('refuses the shard name %j, which could leave the folder', async (shard) => {
      expect(await refusal(async () => openCheckpoint(await withMap({ 'encoder.a': shard })))).toMatch(
        /^config-invalid: .*key weight_map\.encoder\.a\): .* is not the name of a file in the same folder/,
      );
    });

    it('refuses a shard that is a pickle, one that is missing, and a tensor that is not where the index says', async () => {
      expect(await refusal(async () => openCheckpoint(await withMap({ a: 'model.bin' })))).toContain(
        'model.bin is not a .safetensors file',
      );
      expect(await refusal(async () => openCheckpoint(await withMap({ a: 'x.safetensors' })))).toMatch(
        /^checkpoint-layout: .*there is no x\.safetensors/,
      );
      expect(await refusal(async () => openCheckpoint(await withMap({ 'encoder.c': names[0] })))).toMatch(
        /^tensor-mismatch: .*tensor "encoder\.c"/,
      );
      expect(await refusal(async () => openCheckpoint(await withMap({})))).toContain('it names no tensor');
    });

    it('refuses a tensor that two shards hold, even if the index names one', async () => {
      await changed({ ...sharded, [`text_encoder/${names[1]}`]: weights('encoder.c', 'encoder.b') });
      expect(await refusal(() => openCheckpoint(directory))).toMatch(
        /^tensor-mismatch: .*tensor "encoder\.b"\): it is there twice/,
      );
    });
  });

  describe('with variants', () => {
    const half = { 'unet/diffusion_pytorch_model.fp16.safetensors': weights('half') };
    const shardedHalf = {
      'unet/diffusion_pytorch_model.fp16-00001-of-00001.safetensors': weights('half'),
      'unet/diffusion_pytorch_model.safetensors.index.fp16.json': index({
        half: 'diffusion_pytorch_model.fp16-00001-of-00001.safetensors',
      }),
    };
    const noPlain = { 'unet/diffusion_pytorch_model.safetensors': undefined };
    const opened = async (changes: Parameters<typeof changed>[0], variant?: string) => {
      const { unet, vae } = await openCheckpoint(await changed(changes), variant);
      return [unet.weights.variant, [...unet.weights.tensors.keys()][0], vae.weights.variant];
    };

    it('prefers the plain weights', async () => {
      expect(await opened(half)).toEqual([undefined, 'conv_in.weight', undefined]);
    });
    it('takes fp16 where there are no plain ones', async () => {
      expect(await opened({ ...half, ...noPlain })).toEqual(['fp16', 'half', undefined]);
    });
    it('takes the variant that is asked for, and plain ones where a component has none', async () => {
      expect(await opened(half, 'fp16')).toEqual(['fp16', 'half', undefined]);
    });
    it('reads sharded variants', async () => {
      expect(await opened(shardedHalf, 'fp16')).toEqual(['fp16', 'half', undefined]);
      expect(await opened({ ...shardedHalf, ...noPlain })).toEqual(['fp16', 'half', undefined]);
    });
    it('does not take another variant unasked', async () => {
      const ema = { 'unet/diffusion_pytorch_model.non_ema.safetensors': weights('half'), ...noPlain };
      expect(await refusal(() => opened(ema))).toMatch(/^checkpoint-layout: .*non_ema.*name its variant/);
      expect(await opened(ema, 'non_ema')).toEqual(['non_ema', 'half', undefined]);
    });
    it('refuses a variant that no component has, and one that is a path', async () => {
      expect(await refusal(() => opened({}, 'fp8'))).toContain('no component has weights of the variant fp8');
      expect(await refusal(() => opened({}, '../x'))).toMatch(/^usage: /);
    });
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
