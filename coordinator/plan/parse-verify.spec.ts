import { describe, expect, it } from 'vitest';
import { minimal, parse, problems } from './parse-campaign.spec-support.ts';

const section = `verify:
  prompts: ["{a object}, {style}"]
  thresholds: { ua: 0.9 }
`;

describe('the section verify', () => {
  it('has defaults, and the sampling of the campaign', () => {
    const { verify, concepts } = parse(`${minimal}sampling: { steps: 20, guidance: 2.5 }\n${section}`);
    expect(verify).toEqual({
      prompts: { templates: ['{a object}, {style}'], labels: {} },
      images: 320,
      alternativeImages: 16,
      seed: '1000',
      sampling: { steps: 20, guidance: 2.5 },
      together: true,
      present: 0.5,
    });
    expect(concepts[0]?.verify).toEqual({
      sides: [],
      thresholds: { ua: 0.9 },
      together: { ua: 0.9 },
      alternatives: [],
    });
  });

  it('takes every setting', () => {
    const { verify, concepts } = parse(`name: all
concepts:
  - name: Neon
    kind: style
    things: [a cat]
    phrase: in the style of Neon
    verify:
      label: neon
      head: style
      prompts: ["a {style} {object}"]
      labels: { style: { without: [ink] } }
      thresholds: { ira: 0.8 }
      together: { ua: 0.7 }
      alternatives: { misspelt: [a noen cat], indirect: [glowing tubes] }
  - name: farmers
    kind: gender
    target: [a man farmer]
    base: [a woman farmer]
    seeds: [0]
    verify: { head: sex, sides: [man, woman], prompts: ["a farmer"], thresholds: { balance: 0.4 } }
verify:
  classifier: ../classifier.json
  prompts: ["{a object}"]
  labels: { object: { only: [cat, owl], phrases: { owl: the owl } } }
  images: 10
  alternative_images: 2
  seed: 18446744073709551615
  sampling: { scheduler: ddim, steps: 5, guidance: 1, size: 64 }
  together: false
  present: 0.9
  thresholds: { ua: 0.9, cra: 0.8 }
`);
    expect(verify).toMatchObject({
      classifier: '../classifier.json',
      prompts: { labels: { object: { only: ['cat', 'owl'], without: [], phrases: { owl: 'the owl' } } } },
      images: 10,
      alternativeImages: 2,
      seed: '18446744073709551615',
      sampling: { scheduler: 'ddim', steps: 5, guidance: 1, size: { width: 64, height: 64 } },
      together: false,
      present: 0.9,
    });
    const [neon, farmers] = concepts;
    expect(neon?.verify).toEqual({
      label: 'neon',
      head: 'style',
      sides: [],
      prompts: {
        templates: ['a {style} {object}'],
        labels: {
          object: { only: ['cat', 'owl'], without: [], phrases: { owl: 'the owl' } },
          style: { without: ['ink'], phrases: {} },
        },
      },
      thresholds: { ua: 0.9, cra: 0.8, ira: 0.8 },
      together: { ua: 0.7, cra: 0.8, ira: 0.8 },
      alternatives: [
        { kind: 'indirect', prompts: ['glowing tubes'] },
        { kind: 'misspelt', prompts: ['a noen cat'] },
      ],
    });
    expect(farmers?.verify).toMatchObject({ head: 'sex', sides: ['man', 'woman'], thresholds: { balance: 0.4 } });
  });

  it('is refused with line and column of every problem', () => {
    expect(
      problems(`${minimal}verify:
  prompts: ["{a object", "{}"]
  label: {}
  images: 0
  seed: -1
  present: 0
  thresholds: { ua: 2, uia: 1 }
  labels: { object: { only: [cat], wihtout: [dog] } }
`),
    ).toEqual([
      expect.stringMatching(/^5:13 verify\.prompts\[0\]: a brace belongs to \{head\} or \{a head\}/),
      expect.stringMatching(/^5:26 verify\.prompts\[1\]: a brace belongs/),
      '6:3 verify.label: there is no such key; did you mean labels?',
      '7:11 verify.images: expected at least 1, found 0',
      expect.stringMatching(/^8:9 verify\.seed: the first seed is 0 or more/),
      '9:12 verify.present: expected more than 0, found 0',
      '10:21 verify.thresholds.ua: expected at most 1, found 2',
      '10:24 verify.thresholds.uia: there is no such key; did you mean ua?',
      '11:36 verify.labels.object.wihtout: there is no such key; did you mean without?',
    ]);
  });

  it('is refused for sections that contradict each other', () => {
    expect(
      problems(`name: demo
concepts:
  - { name: a, kind: object, target: [x], base: [y] }
  - { name: b, kind: object, target: [x], base: [y], verify: { sides: [man, woman], thresholds: { ua: 1 }, alternatives: { misspelt: [z] } } }
  - { name: c, kind: object, target: [x], base: [y], verify: { thresholds: { balance: 0.5 } } }
verify:
  prompts: ["{a object}"]
  labels: { object: { only: [cat], without: [dog] }, style: {} }
`),
    ).toEqual([
      '3:5 concepts[0]: nothing is asked of its mask: give thresholds, here or under verify',
      '4:71 concepts[1].verify.sides: sides are of a concept of kind gender',
      '4:71 concepts[1].verify.sides: name the head that tells them apart: head is missing',
      '4:103 concepts[1].verify.thresholds.ua: a concept with sides is measured by balance',
      '4:122 concepts[1].verify.alternatives: a concept with sides has no other words: give it more prompts',
      '5:87 concepts[2].verify.thresholds.balance: it is of a concept with sides',
      '8:21 verify.labels.object: it has either only or without',
      '8:61 verify.labels.style: no prompt has a place for it; there are object',
    ]);
    expect(problems(`${minimal.trimEnd().slice(0, -2)}, verify: { thresholds: { ua: 1 } } }\n`)).toEqual([
      expect.stringContaining('concepts[0].verify: the campaign has no section verify'),
    ]);
  });
});
