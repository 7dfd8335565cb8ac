import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problems } from './parse-campaign.spec-support.ts';

describe('parseCampaign, given what nobody writes by hand,', () => {
  it.each([
    ['brackets', '['.repeat(1_000_000)],
    ['maps', '{a: '.repeat(200_000)],
    ['list marks', '- '.repeat(200_000)],
    ['indentation', Array.from({ length: 500 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ])('refuses a file nested beyond measure: %s', (_, text) => {
    expect(problems(text)).toEqual([expect.stringMatching(/^\d+:\d+ more than 32 levels are nested here$/)]);
  });

  it('refuses aliases that stand for billions of values', () => {
    const lines = ['a: &a0 [x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++)
      lines.push(
        `${'b'.repeat(i)}: &a${i} [${Array(8)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    expect(problems(lines.join('\n')).join()).toContain('the file stands for more than 500000 values');
  });

  it('reads or refuses whatever it is given, and throws nothing else', () => {
    const words = [
      'name',
      'concepts',
      'mask',
      'sites',
      'ffn2',
      'prompts',
      'things',
      'phrase',
      '&a',
      '*a',
      '{',
      '}',
      '[',
      ']',
      '-',
      ':',
      ': ',
      ',',
      '\n',
      '\n  ',
      '\n    ',
      '|',
      '>',
      '"',
      "'",
      '#',
      '!',
      '!!str',
      '%',
      '---',
      '?',
      '<<',
      '__proto__',
      'null',
      '1',
      '1e400',
      '.nan',
      'é',
      '\u{1F600}',
      '\uD800',
      '\t',
      '\0',
      '\r',
    ];
    const soup = fc
      .array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...words) }, fc.string({ unit: 'binary' })))
      .map((all) => all.join(''));
    fc.assert(
      fc.property(soup, (text) => void problems(text)),
      { numRuns: 1000 },
    );
  });

  it('reads or refuses a campaign in which anything stands anywhere', () => {
    const file = JSON.parse(
      '{"name":"demo","tau":5,"mask":{"sites":{"ffn2":{"skill_ratio":0.1}}},"sampling":{"steps":5,"size":512},"prompts":{"one":["a",{"prompt":"b","count":2}]},"retain":"one","concepts":[{"name":"x","kind":"style","things":"one","phrase":"p"},{"name":"y","kind":"gender","target":["a"],"base":["b"],"seeds":[1]}]}',
    ) as unknown;
    const replace = (value: unknown, at: number, by: unknown): unknown => {
      let left = at;
      const walk = (node: unknown): unknown => {
        if (left-- === 0) return by;
        if (Array.isArray(node)) return node.map(walk);
        if (typeof node !== 'object' || node === null) return node;
        return Object.fromEntries(Object.entries(node).map(([k, v]) => [k, walk(v)]));
      };
      return walk(value);
    };
    fc.assert(
      fc.property(fc.nat(45), fc.jsonValue(), (at, by) => {
        problems(JSON.stringify(replace(file, at, by)));
      }),
      { numRuns: 1000 },
    );
  });

  it('lists no more than anyone reads, quickly', () => {
    const text = Array.from({ length: 50_000 }, (_, i) => `k${i}: 1`).join('\n');
    const lines = problems(text);
    expect(lines.length).toBe(501);
    expect(lines.at(-1)).toMatch(/^and \d+ more$/);
  });
});
