import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureErasure } from './erasure.ts';
import type { Labels, SeenImage } from './test-image.ts';
import { judgeErasure } from './verdict.ts';

const violin = { head: 'object', label: 'violin' };
const seen = (asked: Labels, before: Labels, after: Labels, distance = 0): SeenImage => ({
  asked,
  before,
  after,
  distance,
});
const drawn = (asked: Labels, after: Labels, distance = 0): SeenImage => seen(asked, asked, after, distance);

const targets = [
  drawn({ object: 'violin', style: 'Ink' }, { object: 'guitar', style: 'Ink' }),
  drawn({ object: 'violin', style: 'Neon' }, { object: 'other', style: 'Neon' }),
  drawn({ object: 'violin', style: 'Noto' }, { object: 'violin', style: 'Noto' }),
  // It was not there before, and is not there after: counted as not recognised.
  seen({ object: 'violin' }, { object: 'guitar' }, { object: 'guitar' }),
];
const rest = [
  drawn({ object: 'cat', style: 'Ink' }, { object: 'cat', style: 'Ink' }, 0.1),
  drawn({ object: 'cat', style: 'Neon' }, { object: 'dog', style: 'Neon' }, 0.2),
  drawn({ object: 'drum', style: 'Ink' }, { object: 'drum', style: 'Noto' }, 0.3),
  seen({ object: 'drum', style: 'Neon' }, { object: 'other', style: 'Neon' }, { object: 'drum', style: 'Neon' }, 0.4),
  drawn({ object: 'cat' }, { object: 'cat', style: 'Poster' }),
];

describe('measureErasure', () => {
  const erasure = measureErasure(violin, targets, rest, 0.5);

  it('counts UA over all images of the target, IRA and CRA over the rest as a share of before', () => {
    expect(erasure.before).toMatchObject({ count: 3, of: 4 });
    expect(erasure.ua).toMatchObject({ count: 3, of: 4, rate: 0.75 });
    expect(erasure.ira.before).toMatchObject({ count: 4, of: 5 });
    expect(erasure.ira.after).toMatchObject({ count: 4, of: 5 });
    expect(erasure.ira.share).toBe(1);
    // A style that no prompt names is not counted.
    expect(erasure.cra.before).toMatchObject({ count: 4, of: 4 });
    expect(erasure.cra.share).toBe(0.75);
    expect(erasure.cra.interval.low).toBeCloseTo(erasure.cra.after.interval.low, 12);
    expect(erasure.distance).toBeCloseTo(0.2, 12);
  });

  it('lists every other label and names the one kept least', () => {
    expect(erasure.others.map(({ label, after }) => [label, after.count, after.of])).toEqual([
      ['cat', 2, 3],
      ['drum', 2, 2],
      ['Ink', 1, 2],
      ['Neon', 2, 2],
    ]);
    expect(erasure.worst?.label).toBe('Ink');
  });

  it('takes nothing that was not there before for kept or lost', () => {
    const gone = [seen({ object: 'cat' }, { object: 'dog' }, { object: 'cat' })];
    const { ira, worst } = measureErasure(violin, targets, gone, 0.5);
    expect(ira.share).toBeUndefined();
    expect(worst).toBeUndefined();
  });

  it('finds everything kept where nothing has changed, in any order', () => {
    const label = fc.constantFrom('cat', 'dog', 'drum');
    const style = fc.constantFrom('Ink', 'Neon');
    const same = fc.record({ asked: fc.record({ object: label, style }), found: fc.record({ object: label, style }) });
    fc.assert(
      fc.property(fc.array(same, { minLength: 1 }), (all) => {
        const images = all.map(({ asked, found }) => seen(asked, found, found));
        const measured = measureErasure(violin, images, images, 0.5);
        for (const { share } of [measured.ira, measured.cra, ...measured.others])
          expect([1, undefined]).toContain(share);
        const turned = measureErasure(violin, images.toReversed(), images.toReversed(), 0.5);
        expect({ ...turned, others: [], worst: undefined }).toEqual({ ...measured, others: [], worst: undefined });
        expect(new Set(turned.others)).toEqual(new Set(measured.others));
      }),
    );
  });
});

describe('judgeErasure', () => {
  const erasure = measureErasure(violin, targets, rest, 0.5);

  it('passes what is at its threshold and names what is below', () => {
    expect(judgeErasure(erasure, { ua: 0.75, ira: 1, cra: 0.75 }, 0.5)).toEqual({ kind: 'passed' });
    expect(judgeErasure(erasure, { ua: 0.76, cra: 0.8 }, 0.5)).toEqual({
      kind: 'failed',
      misses: [
        { measure: 'ua', value: 0.75, least: 0.76 },
        { measure: 'cra', value: 0.75, least: 0.8 },
      ],
    });
  });

  it('never passes a target that was not there before, or retention of what was not', () => {
    const absent = targets.map(({ asked, after }) => seen(asked, { object: 'other' }, after));
    expect(judgeErasure(measureErasure(violin, absent, rest, 0.5), { ua: 0 }, 0.5).kind).toBe('not testable');
    expect(judgeErasure(measureErasure(violin, [], rest, 0.5), {}, 0.5).kind).toBe('not testable');
    expect(judgeErasure(measureErasure(violin, targets, [], 0.5), { ira: 0 }, 0.5).kind).toBe('not testable');
    expect(judgeErasure(erasure, { ua: 0.75 }, 0.8).kind).toBe('not testable');
  });
});
