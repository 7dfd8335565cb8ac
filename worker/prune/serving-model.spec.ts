import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { bitsAt, type Mask, uniteMasks } from '../../shared/mask/mask.ts';
import { emojiSd } from '../diffusion/emoji-sd.spec-support.ts';
import { denoise } from '../diffusion/denoise.ts';
import { type ImageRequest } from '../diffusion/generate.ts';
import type { Sampling } from '../diffusion/sampling.ts';
import { maskWith, siteLayers, someBits } from './masks.spec-support.ts';
import type { PreparedMask } from './prepared-mask.ts';
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
