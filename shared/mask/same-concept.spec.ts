import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conceptKey, isSameConcept } from './same-concept.ts';

describe('names of one concept', () => {
  it.each([
    ['composed and decomposed', 'Caf\u00e9', 'Cafe\u0301'],
    ['letter case', 'NEON', 'neon'],
    ['letter case of sharp s', 'Straße', 'STRASSE'],
    ['a final sigma', 'ΟΔΟΣ', 'οδος'],
    ['full width', 'Ｎｅｏｎ', 'Neon'],
    ['an invisible character', 'Ne\u200bon', 'Neon'],
    ['white space', 'Van  Gogh ', 'Van\u00a0Gogh'],
  ])('are told alike: %s', (_, a, b) => {
    expect(isSameConcept(a, b)).toBe(true);
  });

  it.each([
    ['Neon', 'Neon 2'],
    ['cat', 'cats'],
    ['über', 'uber'],
  ])('are told apart: %s, %s', (a, b) => {
    expect(isSameConcept(a, b)).toBe(false);
  });

  it('have one key, whatever normal form and case they come in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (name) => {
        const key = conceptKey(name);
        for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const) expect(conceptKey(name.normalize(form))).toBe(key);
        expect(conceptKey(key)).toBe(key);
        expect(conceptKey(name.toUpperCase())).toBe(key);
      }),
    );
  });
});
