import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Campaign } from './campaign.ts';
import { parseCampaign } from './parse-campaign.ts';

const parse = (text: string): Campaign => parseCampaign(text, 'campaign.yaml');

/** The lines of a refusal. */
function problems(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    expect(error).toBeInstanceOf(LetheError);
    const { code, where, why, isInput } = error as LetheError;
    expect([code, where, isInput]).toEqual(['campaign-invalid', 'campaign.yaml', true]);
    return why.split('\n');
  }
  return [];
}

const minimal = `name: demo
concepts:
  - { name: Neon, kind: style, things: [a cat, a dog], phrase: in the style of Neon }
`;

const key = (prompt: string, seed = '0') => ({ prompt, seed });

describe('parseCampaign', () => {
  it('fills in what a campaign leaves out', () => {
    expect(parse(minimal)).toEqual({
      name: 'demo',
      sampling: { steps: 50, guidance: 7.5 },
      tau: 10,
      window: 10,
      batch: 8,
      retain: [],
      concepts: [
        {
          name: 'Neon',
          kind: 'style',
          target: [key('a cat in the style of Neon'), key('a dog in the style of Neon')],
          base: [key('a cat'), key('a dog')],
          mask: { selectRatio: 0, sites: [{ site: 'ffn2', skillRatio: 0.01, selection: 'reference', margin: 1 }] },
        },
      ],
    });
  });

  it('takes every setting', () => {
    const campaign = parse(`name: all
checkpoint: /models/sd15
variant: fp16
numerics: cpu-1
sampling: { scheduler: ddim, steps: 20, guidance: 2.5, size: 512x768 }
tau: 5
window: 2
batch: 4
seed: 18446744073709551615
mask:
  select_ratio: 0.1
  sites: { ffn2: { skill_ratio: 0.05, selection: contrast, margin: 2 }, text: }
prompts:
  few: &few [a cat, { prompt: a dog, count: 2 }]
retain: few
concepts:
  - { name: b, kind: object, things: few, phrase: "{}, Ink" }
  - name: a
    kind: gender
    target: *few
    base: [x, y, z]
    seeds: [1, -2, 3]
    mask: { sites: { attn-key: { skill_ratio: 1 }, ffn2: { margin: 3 } } }
`);
    const { concepts, ...rest } = campaign;
    const most = '18446744073709551615';
    expect(rest).toEqual({
      name: 'all',
      checkpoint: '/models/sd15',
      variant: 'fp16',
      numerics: 'cpu-1',
      sampling: { scheduler: 'ddim', steps: 20, guidance: 2.5, size: { width: 512, height: 768 } },
      tau: 5,
      window: 2,
      batch: 4,
      retain: [key('a cat', most), key('a dog', most), key('a dog', most)],
    });
    const [a, b] = concepts;
    expect(a?.target).toEqual([key('a cat', '1'), key('a dog', '-2'), key('a dog', '3')]);
    expect(a?.base).toEqual([key('x', '1'), key('y', '-2'), key('z', '3')]);
    expect(a?.mask).toEqual({
      selectRatio: 0.1,
      sites: [
        { site: 'ffn2', skillRatio: 0.05, selection: 'contrast', margin: 3 },
        { site: 'attn-key', skillRatio: 1, selection: 'reference', margin: 1 },
      ],
    });
    expect(b?.target.map(({ prompt }) => prompt)).toEqual(['a cat, Ink', 'a dog, Ink', 'a dog, Ink']);
    expect(b?.mask.sites.map(({ site }) => site)).toEqual(['ffn2', 'text']);
  });

  it('does not depend on the order of keys', () => {
    const entry = fc.record({ prompt: fc.constantFrom('a', 'b'), count: fc.constantFrom(1, 2) });
    const file = fc.record({
      name: fc.constant('demo'),
      tau: fc.constantFrom(5, 10),
      window: fc.constantFrom(1, 5),
      mask: fc.record({
        select_ratio: fc.constant(0.5),
        sites: fc.record({ ffn2: fc.constant({ skill_ratio: 0.1 }), text: fc.constant({}) }),
      }),
      prompts: fc.record({ one: fc.array(entry, { minLength: 1, maxLength: 3 }), two: fc.constant(['x']) }),
      concepts: fc.constant([{ name: 'N', kind: 'style', things: 'one', phrase: 'p' }]),
    });
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([k, v]) => [k, reversed(v)]),
      );
    };
    fc.assert(
      fc.property(file, (one) => {
        expect(parse(JSON.stringify(reversed(one)))).toEqual(parse(JSON.stringify(one)));
      }),
    );
  });

  it('reports every problem of syntax, form and meaning at once, in order', () => {
    expect(
      problems(`name: my demo
tua: 3
sampling: { step: 50, guidance: high, scheduler: pmdm }
window: 20
prompts:
  things: [a cat, 1984]
concepts:
  - name: Neon
    kind: stile
    things: thigns
    phrase:
  - kind: gender
    name: x
    target: [a, b]
    base: [a]
  - name: X
    kind: object
    target: [a]
    base: [a]
    mask: { sites: { ffn3: {}, ffn2: { margin: 2, skill_ratio: 2 } } }
  - 5
  - name: Y
    name: Z
`),
    ).toEqual([
      '1:7 name: a campaign has a name of letters, digits, - and _, at most 64 (found "my demo")',
      '2:1 tua: there is no such key; did you mean tau?',
      '3:13 sampling.step: there is no such key; did you mean steps?',
      '3:33 sampling.guidance: expected a number, found "high"',
      '3:50 sampling.scheduler: found "pmdm"; expected one of pndm, ddim, euler, euler-ancestral, dpmpp-2m; did you mean pndm?',
      '4:9 window: a window of 20 steps is longer than tau, 10',
      '6:19 prompts.things[1]: expected a text or a map, found 1984',
      '9:11 concepts[0].kind: found "stile"; expected one of style, object, explicit, identity, gender, memorised; did you mean style?',
      '10:13 concepts[0].things: there is no list "thigns" under prompts; did you mean things?',
      '11:12 concepts[0].phrase: expected a text, found nothing',
      '12:5 concepts[1]: a concept of kind gender names a seed for every pair: seeds is missing',
      '15:11 concepts[1].base: it has 1 prompts and target has 2; they are compared in pairs',
      '16:11 concepts[2].name: concepts[1] has this name too',
      '19:11 concepts[2].base: it is the same list as target: nothing tells the concept apart',
      '20:22 concepts[2].mask.sites.ffn3: there is no such key; did you mean ffn2?',
      '20:64 concepts[2].mask.sites.ffn2.skill_ratio: expected at most 1, found 2',
      '21:5 concepts[3]: expected a map, found 5',
      '22:5 concepts[4].kind: it is missing; one of style, object, explicit, identity, gender, memorised',
      '22:5 concepts[4]: a concept has target and base, or things and phrase; this one has none of them',
      '23:5 concepts[4].name: the key is there twice',
    ]);
  });

  const one = (lines: string): string => `name: demo\nconcepts:\n  - name: a\n    kind: object\n${lines}`;
  it.each<[string, string, string[]]>([
    ['an empty file', '', ['1:1 expected a map, found nothing']],
    ['a list', '- a\n', ['1:1 expected a map, found a list']],
    ['no concepts', 'name: demo\nconcepts: []\n', ['2:11 concepts: expected at least 1 entries, found 0']],
    [
      'a flow list without an end',
      'name: [a\n',
      ['2:1 Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['tabs', '\tname: a\n', ['1:1 Tabs are not allowed as indentation']],
    ['two documents', 'name: a\n---\nname: b\n', ['2:1 a second document begins; the file has to hold one']],
    ['another YAML', '%YAML 1.1\n---\nname: a\n', ['1:1 it is YAML 1.1; YAML 1.2 is read']],
    ['a tag', 'name: !secret a\n', ['1:7 Unresolved tag: !secret']],
    [
      'both ways to give prompts',
      one('    target: [a]\n    base: [b]\n    things: [c]\n'),
      ['3:5 concepts[0]: a concept has target and base, or things and phrase; this one has target and base and things'],
    ],
    [
      'an empty prompt',
      one('    target: [a, " "]\n    base: [b, c]\n'),
      ['5:17 concepts[0].target[1]: the prompt is blank; the empty prompt is "" (found " ")'],
    ],
    [
      'a phrase that adds nothing',
      one('    things: [a]\n    phrase: "{}"\n'),
      ['6:13 concepts[0].phrase: it adds nothing to the thing'],
    ],
    [
      'too few seeds',
      one('    target: [a, b]\n    base: [c, d]\n    seeds: [1]\n'),
      ['7:12 concepts[0].seeds: there are 1 seeds for 2 pairs'],
    ],
    [
      'a seed beyond 64 bits',
      one('    target: [a]\n    base: [b]\n    seeds: [18446744073709551616]\n'),
      ['7:13 concepts[0].seeds[0]: a seed is a whole number from -2^63 to 2^64 - 1'],
    ],
    [
      'a seed that is text',
      one('    target: [a]\n    base: [b]\n    seeds: ["1"]\n'),
      ['7:13 concepts[0].seeds[0]: a seed is a whole number from -2^63 to 2^64 - 1'],
    ],
    [
      'a margin of reference',
      one('    target: [a]\n    base: [b]\n    mask: { sites: { text: { margin: 2 } } }\n'),
      ['7:38 concepts[0].mask.sites.text.margin: a margin is of selection: contrast, and this site has reference'],
    ],
    [
      'a list that stands for too many',
      one('    target: [{ prompt: a, count: 100000 }, { prompt: b, count: 100000 }, c]\n    base: [b]\n'),
      ['5:13 concepts[0].target: it stands for 200001 prompts; at most 200000 are taken'],
    ],
    [
      'a wrong entry',
      one('    target: [{ prompt: a, cuont: 2 }]\n    base: [b]\n'),
      [
        '5:14 concepts[0].target[0].count: it is missing',
        '5:27 concepts[0].target[0].cuont: there is no such key; did you mean count?',
      ],
    ],
    [
      'a wrong size',
      `${minimal}sampling: { size: 512*512 }\n`,
      ['4:19 sampling.size: a size is WIDTHxHEIGHT in pixels, such as 512x512 (found "512*512")'],
    ],
    ['an alias of nothing', `${minimal}retain: *all\n`, ['4:9 retain: no anchor &all stands before this alias']],
    [
      'an alias of itself',
      `${minimal}retain: &all [a, *all]\n`,
      [
        '4:18 retain[1]: *all stands for what it is a part of',
        '4:18 retain[1]: expected a text or a map, found nothing',
      ],
    ],
  ])('refuses %s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  it('knows lines of files with carriage returns and a byte order mark', () => {
    expect(problems('\uFEFFname: demo\r\nconcepts:\r\n  - nam: 3\r\n').map((line) => line.split(' ')[0])).toContain(
      '3:5',
    );
  });

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
