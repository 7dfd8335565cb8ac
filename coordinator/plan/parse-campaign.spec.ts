import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unitFromMessage, unitToMessage } from '../../shared/fleet/unit-message.ts';
import { minimal, parse } from './parse-campaign.spec-support.ts';

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
          verify: { sides: [], thresholds: {}, together: {}, alternatives: [] },
        },
      ],
    });
  });

  it('counts negative seeds from 2^64 as torch does, so that they can be leased', () => {
    const seeded = (seed: string) => parse(`${minimal}seed: ${seed}\n`).concepts[0]?.base ?? [];
    expect(seeded('-1')).toEqual(seeded('18446744073709551615'));
    expect(seeded('-9223372036854775808')).toEqual(seeded('9223372036854775808'));
    const trajectories = ['-1', '-9223372036854775808', '0'].flatMap((seed) => seeded(seed));
    const sampling = { scheduler: 'pndm', steps: 1, guidance: 1, height: 8, width: 8 };
    const origin = { checkpoint: 'sha256:1', numerics: 'cpu', graph: '1' };
    const unit = { kind: 'denoise', ...origin, sampling, trajectories, window: { from: 0, to: 1 } } as const;
    expect(unitFromMessage(unitToMessage(unit))).toEqual(unit);
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
    expect(a?.target).toEqual([key('a cat', '1'), key('a dog', '18446744073709551614'), key('a dog', '3')]);
    expect(a?.base).toEqual([key('x', '1'), key('y', '18446744073709551614'), key('z', '3')]);
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

  it("takes layers with their ratios, a concept's before the campaign's, and a concept's one ratio for all layers", () => {
    const { concepts } = parse(`name: layers
mask: { sites: { ffn2: { layers: { a.ff.net.2: 0.1 } } } }
concepts:
  - { name: a, kind: object, target: [a], base: [b] }
  - { name: b, kind: object, target: [a], base: [b], mask: { sites: { ffn2: { layers: { b.ff.net.2: 1 } } } } }
  - { name: c, kind: object, target: [a], base: [b], mask: { sites: { ffn2: { skill_ratio: 0.2 } } } }
  - { name: d, kind: object, target: [a], base: [b], mask: { sites: { ffn2: { margin: 2, selection: contrast } } } }
`);
    expect(concepts.map(({ mask }) => mask.sites[0]?.layers)).toEqual([
      { 'a.ff.net.2': 0.1 },
      { 'b.ff.net.2': 1 },
      undefined,
      { 'a.ff.net.2': 0.1 },
    ]);
  });

  it('makes a prompt of every combination of words, the last place changing first', () => {
    const { concepts, retain } = parse(`name: each
retain: [{ each: "{a thing}, {style}", of: { thing: [owl, cat], style: [Ink, Neon] } }, a dog]
concepts:
  - { name: a, kind: object, target: [{ each: "{x}, {x}", of: { x: [a, b] } }], base: [{ prompt: c, count: 2 }] }
`);
    expect(retain.map(({ prompt }) => prompt)).toEqual([
      'an owl, Ink',
      'an owl, Neon',
      'a cat, Ink',
      'a cat, Neon',
      'a dog',
    ]);
    expect(concepts[0]?.target.map(({ prompt }) => prompt)).toEqual(['a, a', 'b, b']);
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
});
