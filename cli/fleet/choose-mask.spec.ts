import { describe, expect, it } from 'vitest';
import { chooseMask, type KnownMask } from './choose-mask.ts';

const now = 1_700_000_000_000;
const hashOf = (start: string): string => start.padEnd(64, '0');
const mask = (start: string, concept: string, campaign?: string, ageMs = 0): KnownMask => ({
  hash: hashOf(start),
  concept,
  campaign,
  madeAt: now - ageMs,
});
const styles = 'styles-0123456789ab';
const choose = (name: string, all: readonly KnownMask[], verified: readonly string[] = []) =>
  chooseMask(name, all, () => Promise.resolve(new Set(verified.map(hashOf))), now);

describe('chooseMask', () => {
  it.each([
    ['the whole hash', hashOf('abcd1')],
    ['the beginning of it', 'abcd'],
    ['the beginning in capitals', 'ABCD'],
    ['the concept', 'Café'],
    ['the concept decomposed, in capitals', 'CAFE\u0301'],
    ['campaign and concept', `${styles}/café`],
    ["the campaign's name and concept", 'Styles/Café'],
  ])('finds by %s', async (_, name) => {
    const all = [mask('abcd1', 'Café', styles), mask('abce2', 'Neon', styles)];
    expect(await choose(name, all)).toBe(all[0]);
  });

  it('takes the newest that is verified where several campaigns made one of a concept', async () => {
    const all = [mask('a', 'Neon', 'a-0', 9000), mask('b', 'neon', 'b-0', 5000), mask('c', 'Neon', 'c-0', 1000)];
    expect(await choose('Neon', all, ['a', 'b'])).toBe(all[1]);
    expect(await choose('c-0/Neon', all, [])).toBe(all[2]);
  });

  it('lists them with age and campaign where none is verified', async () => {
    const all = [mask('a', 'Neon', 'a-0', 7_200_000), mask('b', 'Neon', 'b-0', 60_000)];
    await expect(choose('Neon', all)).rejects.toMatchObject({
      code: 'mask-ambiguous',
      why: expect.stringMatching(/b0{11} Neon \(b-0, 60s old\)\n +a0{11} Neon \(a-0, 2h old\)/) as string,
    });
  });

  it('refuses a name that is a concept and the beginning of the hash of another mask, even a verified one', async () => {
    const all = [mask('cafe12', 'violin', styles), mask('1234', 'cafe', styles)];
    await expect(choose('cafe', all, ['cafe12', '1234'])).rejects.toMatchObject({ code: 'mask-ambiguous' });
    expect(await choose('styles/cafe', all)).toBe(all[1]);
    expect(await choose('cafe12', all)).toBe(all[0]);
  });

  it('refuses digits that begin several hashes, whatever is verified', async () => {
    const all = [mask('abcd1', 'Neon', styles), mask('abcd2', 'cat', styles)];
    await expect(choose('abcd', all, ['abcd1'])).rejects.toMatchObject({ code: 'mask-ambiguous' });
  });

  it('takes one mask that two campaigns made for one', async () => {
    const all = [mask('a', 'Neon', 'a-0'), mask('a', 'Neon', 'b-0')];
    expect(await choose('Neon', all)).toBe(all[0]);
  });

  it('says which name was probably meant', async () => {
    const all = [mask('a', 'violin', styles), mask('b', 'Neon', styles)];
    await expect(choose('voilin', all)).rejects.toMatchObject({
      code: 'mask-missing',
      next: expect.stringContaining('did you mean violin?') as string,
    });
  });
});
