import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mt19937 } from './mt19937.ts';

describe('Mt19937', () => {
  it('gives the word that the C++ standard requires of std::mt19937: the 10,000th from seed 5489', () => {
    const engine = new Mt19937(5489);
    for (let i = 1; i < 10_000; i++) engine.next();
    expect(engine.next()).toBe(4123659995);
  });

  it('skips as it draws, across any number of renewals', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.nat(2000), fc.nat(4000), (seed, before, skipped) => {
        const [drawing, skipping] = [new Mt19937(seed), new Mt19937(seed)];
        for (let i = 0; i < before; i++) skipping.next();
        for (let i = 0; i < before + skipped; i++) drawing.next();
        skipping.skip(skipped);
        expect(skipping.next()).toBe(drawing.next());
      }),
      {
        examples: [
          [1, 0, 624],
          [1, 624, 624],
          [1, 1, 623],
          [1, 0, 0],
        ],
      },
    );
  });
});
