import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { imageKey, unitHash } from '../../shared/unit/unit.ts';
import { type ImageFacts, imageFacts, imageMemory } from './image-facts.ts';
import { commonOf, type ImageGroup, imageUnits } from './image-units.ts';
import type { PlannedUnit } from './plan.ts';

const origin = { checkpoint: 'sha256:c', numerics: 'n', graph: '1' };
let facts: ImageFacts;
beforeAll(async () => {
  facts = await imageFacts(await openCheckpoint('checkpoint/emoji-sd'), origin.checkpoint, {
    steps: 20,
    guidance: 2.5,
  });
});

const trajectory = fc.record({ prompt: fc.constantFrom('a', 'b', 'c'), seed: fc.constantFrom('0', '1', '2') });
const asked = fc.array(
  fc.record({ trajectories: fc.array(trajectory), mask: fc.constantFrom(undefined, 'a'.repeat(64), 'b'.repeat(64)) }),
);
type Asked = readonly { readonly trajectories: ImageGroup['trajectories']; readonly mask: string | undefined }[];
const groupsOf = (all: Asked): readonly ImageGroup[] =>
  all.map(({ trajectories, mask }) => ({ facts, trajectories, ...(mask === undefined ? {} : { mask }) }));
const keysOf = (groups: readonly ImageGroup[]): readonly string[] =>
  groups.flatMap((group) => group.trajectories.map((each) => imageKey(commonOf(group, origin), each)));
const madeBy = (units: readonly PlannedUnit[]): readonly string[] =>
  units.flatMap(({ unit }) => (unit.kind === 'image' ? unit.trajectories.map((each) => imageKey(unit, each)) : []));

describe('imageUnits', () => {
  it('make every image that is missing once, at most a batch in a unit, all of one mask', () => {
    fc.assert(
      fc.property(asked, fc.integer({ min: 1, max: 4 }), fc.func(fc.boolean()), (all, batch, isThere) => {
        const groups = groupsOf(all);
        const units = imageUnits(groups, origin, batch, (key) => isThere(key));
        const missing = [...new Set(keysOf(groups))].filter((key) => !isThere(key));
        expect(madeBy(units).toSorted()).toEqual(missing.toSorted());
        for (const { hash, unit, sites, calls } of units) {
          if (unit.kind !== 'image') throw new Error('images alone');
          expect(unit.trajectories.length).toBeGreaterThan(0);
          expect(unit.trajectories.length).toBeLessThanOrEqual(batch);
          expect([hash, sites, calls]).toEqual([unitHash(unit), ['image'], 21]);
        }
        expect(imageUnits(groups, origin, batch, (key) => isThere(key))).toEqual(units);
      }),
    );
  });

  it('put what is pruned alike together, however it was asked for', () => {
    const one = (prompt: string, mask?: string): ImageGroup => {
      return { facts, trajectories: [{ prompt, seed: '0' }], ...(mask === undefined ? {} : { mask }) };
    };
    const groups = ['a', 'b', 'c'].flatMap((prompt) => [one(prompt), one(prompt, 'a'.repeat(64))]);
    const units = imageUnits(groups, origin, 8, () => false);
    expect(units.map(({ unit }) => (unit.kind === 'image' ? [unit.mask, unit.trajectories.length] : []))).toEqual([
      [undefined, 3],
      ['a'.repeat(64), 3],
    ]);
  });

  it('need memory for all three models, and more for more images', () => {
    const { unet, textEncoder, decoder } = facts;
    const weights = unet.weightBytes + textEncoder.weightBytes + decoder.weightBytes;
    const needs = (of: ImageFacts, items: number): number => (imageMemory(of, items).bytes - weights) / 2;
    expect(needs(facts, 1)).toBe(unet.peakBytes);
    expect(needs(facts, 64)).toBe(64 * unet.peakBytes);
    // Of large images the decoder needs most. One is decoded at a time: more of them need more only once UNet calls do.
    const large: ImageFacts = { ...facts, decoder: { ...decoder, peakBytes: 10 * unet.peakBytes } };
    expect(needs(large, 1)).toBe(10 * unet.peakBytes);
    expect(needs(large, 10)).toBe(10 * unet.peakBytes);
    expect(needs(large, 16)).toBe(16 * unet.peakBytes);
  });
});
