import { describe, expect, it } from 'vitest';
import { minimal, problems } from './parse-campaign.spec-support.ts';

describe('parseCampaign', () => {
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
      [
        '7:38 concepts[0].mask.sites.text.margin: a margin is of contrast and specific, and this site has selection: reference',
      ],
    ],
    [
      'two ratios for one site',
      one('    target: [a]\n    base: [b]\n    mask: { sites: { text: { skill_ratio: 0.1, layers: { t: 0.2 } } } }\n'),
      ['7:43 concepts[0].mask.sites.text.skill_ratio: the ratios are those that layers give: leave one of the two out'],
    ],
    [
      'no layer at all, and a ratio that is none',
      one(
        '    target: [a]\n    base: [b]\n    mask: { sites: { text: { layers: {} }, ffn2: { layers: { a: 2 } } } }\n',
      ),
      [
        '7:38 concepts[0].mask.sites.text.layers: it names no layer; leave it out for all of them',
        '7:65 concepts[0].mask.sites.ffn2.layers.a: expected at most 1, found 2',
      ],
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
      'places without words, words without a place, and a text without either',
      one(
        '    target: [{ each: "{a b}, {c}", of: { b: [x], d: [y] } }, { each: x, of: {} }, { each: "{b", of: { b: [x] } }]\n    base: [b]\n',
      ),
      [
        '5:40 concepts[0].target[0].of: there is no list for the place {c}',
        '5:53 concepts[0].target[0].of.d: the text has no place {d}',
        '5:70 concepts[0].target[1].each: it has no place such as {style}: write the prompt itself',
        '5:91 concepts[0].target[2].each: a brace has no other: a place is {style}, or {a object} with its article',
      ],
    ],
    [
      'more combinations than a list may stand for',
      one(
        `    target: [{ each: "{a} {b}", of: { a: [${Array(500).fill('x').join(', ')}], b: [${Array(500).fill('y').join(', ')}] } }]\n    base: [b]\n`,
      ),
      ['5:13 concepts[0].target: it stands for 250000 prompts; at most 200000 are taken'],
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
});
