import { describe, expect, it } from 'vitest';
import { contentHash } from './content-hash.ts';
import {
  type DenoiseUnit,
  type EncodeUnit,
  guidanceRows,
  imageKey,
  type ImageUnit,
  unitHash,
  unitSize,
} from './unit.ts';

const denoise: DenoiseUnit = {
  kind: 'denoise',
  checkpoint: 'sha256:00',
  numerics: 'cpu',
  graph: '1',
  sampling: { scheduler: 'pndm', steps: 50, guidance: 7.5, height: 16, width: 16 },
  trajectories: [
    { prompt: 'a cat', seed: '0' },
    { prompt: 'a dog', seed: '18446744073709551615' },
  ],
  window: { from: 0, to: 10 },
};
const encode: EncodeUnit = {
  kind: 'encode',
  checkpoint: 'sha256:00',
  numerics: 'cpu',
  graph: '1',
  prompts: ['', 'a cat'],
};

const image: ImageUnit = {
  kind: 'image',
  checkpoint: 'sha256:00',
  numerics: 'cpu',
  graph: '1',
  sampling: denoise.sampling,
  trajectories: denoise.trajectories,
};
const mask = 'a'.repeat(64);

describe('unitHash', () => {
  it('is what it was: results are found by it', () => {
    expect(unitHash(denoise)).toBe('b866d2e948c78b05b63baafe73e297e0ce20e0238c96b0dd7279674df4e61cde');
    expect(unitHash(encode)).toBe('17d288d7c112a1e00faa66d01a47a7d576c713f8398f8b533582224ba4c74c47');
    expect(unitHash(image)).toBe('e93cf19889a5d381ef88e4a5a7b65e84de54fc242c496262e32dbf2ab21ce486');
    expect(unitHash({ ...image, mask })).toBe('dea83f4b395a75d7122fac95139f29ca2c491728b2bf45aa7f09ca52cd2bca11');
  });

  it.each<[string, DenoiseUnit]>([
    ['checkpoint', { ...denoise, checkpoint: 'sha256:01' }],
    ['numerics class', { ...denoise, numerics: 'cuda' }],
    ['graph version', { ...denoise, graph: '2' }],
    ['scheduler', { ...denoise, sampling: { ...denoise.sampling, scheduler: 'ddim' } }],
    ['steps', { ...denoise, sampling: { ...denoise.sampling, steps: 51 } }],
    ['guidance', { ...denoise, sampling: { ...denoise.sampling, guidance: 7.500000001 } }],
    ['height', { ...denoise, sampling: { ...denoise.sampling, height: 8 } }],
    ['width', { ...denoise, sampling: { ...denoise.sampling, width: 8 } }],
    ['prompt', { ...denoise, trajectories: [{ prompt: 'a cat ', seed: '0' }, ...denoise.trajectories.slice(1)] }],
    ['seed', { ...denoise, trajectories: [{ prompt: 'a cat', seed: '1' }, ...denoise.trajectories.slice(1)] }],
    ['order of trajectories', { ...denoise, trajectories: denoise.trajectories.toReversed() }],
    ['a trajectory less', { ...denoise, trajectories: denoise.trajectories.slice(1) }],
    ['start of the window', { ...denoise, window: { from: 1, to: 10 } }],
    ['end of the window', { ...denoise, window: { from: 0, to: 9 } }],
  ])('changes with the %s', (_, changed) => {
    expect(unitHash(changed)).not.toBe(unitHash(denoise));
  });

  it('does not change with the order in which members were written', () => {
    const { window, trajectories, ...rest } = denoise;
    expect(unitHash({ window, trajectories, ...rest })).toBe(unitHash(denoise));
  });

  it('tells formats apart', () => {
    expect(contentHash('unit 1', denoise)).not.toBe(contentHash('cohort 1', denoise));
  });
});

describe('unitSize and guidanceRows', () => {
  it('count what a unit gives', () => {
    expect(unitSize(denoise)).toEqual({ items: 2, steps: 10 });
    expect(unitSize(encode)).toEqual({ items: 2, steps: 1 });
    expect(guidanceRows(denoise.sampling)).toBe(2);
    expect(guidanceRows({ ...denoise.sampling, guidance: 1 })).toBe(1);
  });
});

describe('imageKey', () => {
  const [trajectory = { prompt: '', seed: '' }] = image.trajectories;
  const key = imageKey(image, trajectory);

  it('does not change with what shares the unit, and changes with all else', () => {
    expect(imageKey({ ...image, trajectories: [trajectory] } as ImageUnit, trajectory)).toBe(key);
    const others = [
      imageKey({ ...image, mask }, trajectory),
      imageKey({ ...image, numerics: 'cuda' }, trajectory),
      imageKey({ ...image, graph: '2' }, trajectory),
      imageKey({ ...image, checkpoint: 'sha256:01' }, trajectory),
      imageKey({ ...image, sampling: { ...image.sampling, steps: 51 } }, trajectory),
      imageKey(image, { ...trajectory, seed: '1' }),
      imageKey(image, { ...trajectory, prompt: 'a cat ' }),
    ];
    expect(new Set([key, ...others]).size).toBe(8);
  });
});
