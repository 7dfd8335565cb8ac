import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  changedCheckpoint,
  type CheckpointChanges,
  newDirectory,
  refusal,
  safetensorsFile,
} from './fixture.spec-support.ts';
import { openCheckpoint } from './open-checkpoint.ts';

const weights = (...names: string[]) => safetensorsFile(names.map((name) => ({ name, dtype: 'F16', shape: [2, 3] })));
const index = (map: Record<string, string>) => JSON.stringify({ metadata: { total_size: 24 }, weight_map: map });

describe('a checkpoint', () => {
  let directory: string;
  beforeEach(async () => void (directory = await newDirectory()));
  afterEach(() => rm(directory, { recursive: true }));

  const changed = (changes: CheckpointChanges) => changedCheckpoint(directory, changes);

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
    const opened = async (changes: CheckpointChanges, variant?: string) => {
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
});
