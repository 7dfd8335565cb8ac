import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { bitsAt, type Mask, uniteMasks } from '../../shared/mask/mask.ts';
import { emojiSd } from '../diffusion/emoji-sd.spec-support.ts';
import { type ImageRequest } from '../diffusion/generate.ts';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import type { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import type { Trajectory } from '../diffusion/trajectory.ts';
import { maskWith, siteLayers, someBits } from './masks.spec-support.ts';
import type { PreparedMask } from './prepared-mask.ts';
import type { MaskUse } from './pruning.ts';
import { ServingModel } from './serving-model.ts';

let checkpoint: Checkpoint;
let id: string;
let serving: ServingModel;
let masks: { readonly violin: Mask; readonly neon: Mask };
beforeAll(async () => {
  checkpoint = await openCheckpoint(emojiSd);
  id = await checkpointId(checkpoint);
  serving = await ServingModel.open(checkpoint, id, { provider: 'cpu', threads: 1 });
  const mask = (seed: number): Mask =>
    maskWith(id, [
      ...siteLayers(checkpoint, 'ffn2', someBits(seed, 20)),
      ...siteLayers(checkpoint, 'attn-value', someBits(seed, 10)),
      ...siteLayers(checkpoint, 'text', someBits(seed, 10)),
    ]);
  masks = { violin: mask(1), neon: mask(2) };
});
afterAll(() => serving.close());

const sampling: Sampling = { scheduler: 'euler-ancestral', steps: 2, guidance: 2.5, height: 8, width: 8 };
const request = (i: number): ImageRequest => ({
  prompt: ['a cat', 'a violin, Neon', 'an owl'][i % 3] ?? '',
  seed: BigInt(i),
});

async function images(
  prepared: PreparedMask,
  requests: readonly ImageRequest[],
  batch = 8,
): Promise<readonly string[]> {
  const made = await serving.generate(prepared, sampling, requests, batch, () => undefined);
  return made.map(({ image }) => Buffer.from(image.data.buffer).toString('base64'));
}

describe('a serving model', () => {
  it('gives the same bytes under the same set, whatever was active before and whatever shares the batch', async () => {
    type Concept = keyof typeof masks;
    const seen = new Map<string, string>();
    const change = fc.record({
      apply: fc.boolean(),
      concept: fc.constantFrom<Concept>('violin', 'neon'),
      company: fc.array(fc.nat({ max: 5 }), { maxLength: 3 }),
      batch: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
        const active = new Set<Concept>();
        for (const { apply, concept, company, batch } of changes) {
          if (apply) active.add(concept);
          else active.delete(concept);
          const set = [...active].sort();
          const mask = set.length === 0 ? undefined : uniteMasks(set.map((each) => masks[each]));
          const prepared = await serving.prepare(mask);
          const places = [0, ...company];
          const made = await images(prepared, places.map(request), batch);
          for (const [i, place] of places.entries()) {
            const key = `${set.join('+')} ${place}`;
            expect(made[i] === (seen.get(key) ?? made[i])).toBe(true);
            seen.set(key, made[i] ?? '');
          }
          await prepared.release();
        }
      }),
      { numRuns: 6 },
    );
    const firsts = [...seen].filter(([key]) => key.endsWith(' 0')).map(([, bytes]) => bytes);
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  it('goes on under the mask before while the next is prepared, and finishes what was begun when it is released', async () => {
    const before = await serving.prepare(masks.violin);
    const expected = await images(before, [request(1)]);
    const next = serving.prepare(masks.neon);
    const underWay = images(before, [request(1), request(2)]);
    const after = await next;
    const released = before.release();
    expect((await underWay)[0]).toBe(expected[0]);
    await released;
    await expect(images(before, [request(1)])).rejects.toMatchObject({ code: 'session-lost' });
    expect((await images(after, [request(1)]))[0]).not.toBe(expected[0]);
    await after.release();
  });

  it('refuses a mask that is not of the checkpoint, and serves on', async () => {
    await expect(serving.prepare({ ...masks.neon, checkpoint: 'sha256:other' })).rejects.toMatchObject({
      code: 'mask-mismatch',
    });
    const prepared = await serving.prepare(masks.neon);
    expect(await images(prepared, [request(0)])).toHaveLength(1);
    await prepared.release();
  });
});

describe('a mask that depends on the timestep', () => {
  const sampling: Sampling = { scheduler: 'euler', steps: 6, guidance: 2.5, height: 8, width: 8 };
  /** Scored near the first call and near the third: the second is as near as may be to one of them, the rest is below. */
  const timesteps = [995, 590];
  const layers = () => [
    ...siteLayers(checkpoint, 'ffn2', someBits(7, 5), [someBits(8, 10), someBits(9, 10)]),
    ...siteLayers(checkpoint, 'ffn1', someBits(7, 5), [someBits(10, 10), someBits(11, 10)]),
    ...siteLayers(checkpoint, 'attn-value', someBits(12, 10)),
  ];

  it('prunes in every call what it says for the nearest scored timestep, and below the last the union', async () => {
    const mask = maskWith(id, layers(), timesteps);
    const switched = await serving.prepare(mask, 'per-timestep');
    const calls = serving.model.scheduler(sampling).timesteps;
    expect(calls.filter((timestep) => timestep < 590).length).toBeGreaterThan(1);
    let state = serving.model.start(3n, sampling, serving.model.scheduler(sampling));
    for (const timestep of calls) {
      // A model of this step's own, its weights laid out by the runtime as constants.
      const own = mask.layers.map((layer) => ({ ...layer, union: bitsAt(layer, timesteps, timestep), steps: [] }));
      const constant = await serving.prepare(maskWith(id, own));
      const [next, expected] = [await stepOf(switched, sampling, state), await stepOf(constant, sampling, state)];
      expect(largestDifference(next, expected)).toBeLessThan(1e-5);
      const union = await serving.prepare(mask, 'union');
      if (timestep >= 590)
        expect(largestDifference(await stepOf(union, sampling, state), expected)).toBeGreaterThan(1e-4);
      await Promise.all([constant.release(), union.release()]);
      state = next;
    }
    await switched.release();
  });

  it.each<MaskUse>(['union', 'per-timestep'])(
    'used as %s: bytes do not depend on the company, on any number of threads',
    async (use) => {
      // A size and a number at which products with a switched weight were seen to differ.
      const threaded = await ServingModel.open(checkpoint, id, { provider: 'cpu', threads: 3 });
      const prepared = await threaded.prepare(maskWith(id, layers(), timesteps), use);
      const own = { ...sampling, steps: 1, height: 16, width: 16 };
      const make = async (requests: readonly ImageRequest[]) =>
        (await threaded.generate(prepared, own, requests, 8, () => undefined)).map(({ image }) => image);
      const [alone] = await make([request(1)]);
      expect((await make([0, 2, 3, 4, 5, 6, 7, 1].map(request)))[7]).toEqual(alone);
      await threaded.close();
    },
  );
});

/** The trajectory after one call. */
async function stepOf(prepared: PreparedMask, sampling: Sampling, from: Trajectory): Promise<Trajectory> {
  return prepared.use(async (model: StableDiffusion) => {
    const [empty = new Float32Array(), text = empty] = await model.encode(
      ['', 'a cat'].map((each) => model.tokenizer.encode(each)),
    );
    for await (const [after] of model.denoise(sampling, model.scheduler(sampling), [from], [text], empty))
      if (after !== undefined) return after;
    return from;
  });
}

function largestDifference(a: Trajectory, b: Trajectory): number {
  const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest(a.latents.map((value, i) => value - (b.latents[i] ?? NaN))) / largest(b.latents);
}
