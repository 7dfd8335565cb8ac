import { describe, expect, it } from 'vitest';
import { closest } from './closest.ts';
import { keyText, linesOf } from './problem.ts';

describe('closest', () => {
  it.each([
    ['stpes', ['steps', 'scheduler'], 'steps'],
    ['tua', ['name', 'tau'], 'tau'],
    ['step', ['steps', 'scheduler'], 'steps'],
    ['Guidence', ['guidance'], 'guidance'],
    ['xyz', ['tau', 'name'], undefined],
    ['', [], undefined],
  ])('%s among %j is %s', (name, known, meant) => {
    expect(closest(name, known)).toBe(meant);
  });
});

describe('keyText', () => {
  it('reads like a path', () => {
    expect(keyText(['concepts', 0, 'mask', 'sites', 'attn-key'])).toBe('concepts[0].mask.sites.attn-key');
    expect(keyText(['prompts', 'my things', 3])).toBe('prompts."my things"[3]');
    expect(keyText([])).toBe('');
  });
});

describe('linesOf', () => {
  it('counts lines and columns from 1', () => {
    const at = linesOf('ab\n\ncd');
    expect([0, 2, 3, 4, 5, 6].map((offset) => Object.values(at(offset)).join(':'))).toEqual([
      '1:1',
      '1:3',
      '2:1',
      '3:1',
      '3:2',
      '3:3',
    ]);
  });
});
