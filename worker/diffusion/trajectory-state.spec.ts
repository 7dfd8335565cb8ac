import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSafetensors } from '../../shared/checkpoint/write-safetensors.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { TorchGenerator } from './noise/torch-generator.ts';
import { decodeTrajectory, encodeTrajectory, type TrajectoryIdentity } from './trajectory-state.ts';
import type { Trajectory } from './trajectory.ts';

const identity: TrajectoryIdentity = {
  checkpoint: 'sha256:1',
  prompt: 'a red apple',
  seed: '7',
  sampling: { scheduler: 'pndm', steps: 8, guidance: 2.5, height: 2, width: 3 },
};

const generator = new TorchGenerator(7);
const numbers = generator.randn(24);
generator.randn(3);
const trajectory: Trajectory = {
  latents: numbers,
  scheduler: { step: 3, history: [numbers.map((value) => value / 3), numbers.map((value) => -value)] },
  noise: generator.state(),
};
const bytes = encodeTrajectory(trajectory, identity);

function refusal(work: () => unknown): LetheError {
  try {
    work();
  } catch (error) {
    if (error instanceof LetheError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a stored trajectory', () => {
  it('comes back as it was, from any kind of byte array', () => {
    expect(decodeTrajectory(bytes, identity)).toEqual(trajectory);
    expect(decodeTrajectory(Buffer.from(bytes), identity)).toEqual(trajectory);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(decodeTrajectory(shifted.subarray(1), identity)).toEqual(trajectory);
  });

  it('is the same bytes every time, and does not hold the prompt', () => {
    expect(encodeTrajectory(trajectory, identity)).toEqual(bytes);
    expect(Buffer.from(bytes).includes(identity.prompt)).toBe(false);
  });

  it('keeps a negative zero and the smallest numbers', () => {
    const latents = Float32Array.of(-0, 1e-45, -1e-45, 3.4e38, 0, 1);
    const state = { ...trajectory, latents, scheduler: { step: 0, history: [] } };
    const { latents: back } = decodeTrajectory(encodeTrajectory(state, identity), identity);
    expect([...back].every((value, i) => Object.is(value, latents[i]))).toBe(true);
  });

  it.each<[string, TrajectoryIdentity]>([
    ['checkpoint', { ...identity, checkpoint: 'sha256:2' }],
    ['prompt', { ...identity, prompt: 'a red  apple' }],
    ['seed', { ...identity, seed: '8' }],
    ['scheduler', { ...identity, sampling: { ...identity.sampling, scheduler: 'ddim' } }],
    ['steps', { ...identity, sampling: { ...identity.sampling, steps: 9 } }],
    ['guidance', { ...identity, sampling: { ...identity.sampling, guidance: 2.6 } }],
    ['height and width', { ...identity, sampling: { ...identity.sampling, height: 3, width: 2 } }],
  ])('is refused for another %s', (_, other) => {
    const { code, where, why } = refusal(() => decodeTrajectory(bytes, other));
    expect({ code, where }).toEqual({ code: 'trajectory-invalid', where: 'identity' });
    expect(why).not.toContain(other.prompt);
  });

  it('is refused, or unchanged, whatever bytes are altered', () => {
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const damaged = bytes.slice();
        for (const [at, by] of changes) damaged[at]! ^= by;
        let decoded: Trajectory;
        try {
          decoded = decodeTrajectory(damaged, identity);
        } catch (error) {
          expect(error).toBeInstanceOf(LetheError);
          expect((error as LetheError).code).toBe('trajectory-invalid');
          return;
        }
        // Spaces of the header may become other white space; a flag of its own may change twice.
        expect(decoded).toEqual(trajectory);
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused when cut at any byte, or longer', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(refusal(() => decodeTrajectory(bytes.subarray(0, length), identity)).code).toBe('trajectory-invalid');
    expect(refusal(() => decodeTrajectory(Buffer.concat([bytes, bytes]), identity)).code).toBe('trajectory-invalid');
  });

  it('is refused when it is something else altogether', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(refusal(() => decodeTrajectory(noise, identity)).code).toBe('trajectory-invalid');
      }),
    );
    expect(refusal(() => decodeTrajectory(encodeSafetensors([], {}), identity)).where).toBe('metadata');
  });

  const state = { scheduler: trajectory.scheduler, noise: trajectory.noise };
  it.each<[string, Trajectory]>([
    ['latents', { ...trajectory, latents: numbers.map((value, i) => (i === 5 ? NaN : value)) }],
    ['latents', { ...state, latents: numbers.subarray(0, 20) }],
    ['latents', { ...state, latents: new Float32Array() }],
    ['history.0', { ...trajectory, scheduler: { step: 3, history: [Float32Array.of(Infinity)] } }],
    ['history', { ...trajectory, scheduler: { step: 3, history: [numbers.subarray(0, 18)] } }],
    ['metadata', { ...trajectory, scheduler: { step: -1, history: [] } }],
    ['metadata', { ...trajectory, scheduler: { step: 0.5, history: [] } }],
    ['state.words', { ...trajectory, noise: { ...trajectory.noise, nextNormal: null, words: -1 } }],
    ['state.seed', { ...trajectory, noise: { ...trajectory.noise, seed: 'x' } }],
  ])('with a wrong %s is refused though its digest fits', (where, wrong) => {
    const { code, where: found } = refusal(() => decodeTrajectory(encodeTrajectory(wrong, identity), identity));
    expect({ code, found }).toEqual({ code: 'trajectory-invalid', found: where });
  });
});
