import { describe, expect, it } from 'vitest';
import { type Candidate, candidateKey, candidateText, type MaskLayer } from './candidate.ts';
import { leanCandidates, scaledSite, withoutEachLayer } from './layer-effects.ts';
import type { Standing } from './standing.ts';
import type { Trial } from './trial.ts';

const layers: readonly MaskLayer[] = [
  { concept: 'cat', site: 'ffn2', name: 'strong.ff.net.2' },
  { concept: 'cat', site: 'ffn2', name: 'harmful.ff.net.2' },
  { concept: 'cat', site: 'ffn2', name: 'idle.ff.net.2' },
  { concept: 'cat', site: 'text', name: 'dear.mlp.fc2' },
];
const base: Candidate = {
  against: 'retain',
  masks: [
    {
      concept: 'cat',
      mask: {
        selectRatio: 0.5,
        sites: [
          { site: 'ffn2', skillRatio: 0.05, selection: 'contrast', margin: 1 },
          { site: 'text', skillRatio: 0.1, selection: 'contrast', margin: 1.2 },
        ],
      },
    },
  ],
};

/** A trial in which so much is expected to be erased and kept. */
function trial(candidate: Candidate, erased: number, kept: number): Trial {
  const standing = (name: string, side: Standing['requirement']['side'], expected: number): Standing => {
    return { requirement: { name, side, least: 0.9 }, hits: 0, of: 10, expected };
  };
  const standings = [
    standing('UA', { kind: 'erased', concept: 'cat' }, erased),
    standing('IRA', { kind: 'kept' }, kept),
    standing('CRA', { kind: 'kept' }, 1),
  ];
  return { candidate, pruned: 1, standings, samples: 10, layers };
}

/** Layers that a candidate prunes, with their ratios. */
function pruned({ masks }: Candidate): readonly unknown[] {
  return masks.flatMap(({ mask }) => mask.sites.map(({ site, skillRatio, layers: own }) => [site, own ?? skillRatio]));
}

describe('withoutEachLayer', () => {
  it('leaves out one layer each time, and a site with its last one', () => {
    const all = withoutEachLayer(trial(base, 0.9, 0.9));
    expect(all).toHaveLength(layers.length);
    const [first] = all;
    expect(first && pruned(first)).toEqual([
      ['ffn2', { 'harmful.ff.net.2': 0.05, 'idle.ff.net.2': 0.05 }],
      ['text', 0.1],
    ]);
    const last = all.at(-1);
    expect(last && pruned(last)).toEqual([['ffn2', 0.05]]);
  });

  it('keeps the ratios that layers have, and tries nothing where one is left', () => {
    const [site] = base.masks[0]?.mask.sites ?? [];
    if (site === undefined) throw new Error('there is no site');
    const own = { ...site, layers: { 'strong.ff.net.2': 0.2, 'idle.ff.net.2': 0.01 } };
    const candidate = { ...base, masks: [{ concept: 'cat', mask: { selectRatio: 0, sites: [own] } }] };
    const left = [layers[0], layers[2]].filter((each) => each !== undefined);
    const all = withoutEachLayer({ ...trial(candidate, 0.9, 0.9), layers: left });
    expect(all.map(pruned)).toEqual([[['ffn2', { 'idle.ff.net.2': 0.01 }]], [['ffn2', { 'strong.ff.net.2': 0.2 }]]]);
    expect(withoutEachLayer({ ...trial(candidate, 0.9, 0.9), layers: left.slice(0, 1) })).toEqual([]);
  });

  it("leaves a mask its only layer, whatever the others' are", () => {
    const [one] = base.masks;
    if (one === undefined) throw new Error('there is no mask');
    const text = { ...one.mask, sites: one.mask.sites.slice(1) };
    const both = { ...base, masks: [one, { concept: 'dog', mask: text }] };
    const all = [...layers, { concept: 'dog', site: 'text' as const, name: 'dear.mlp.fc2' }];
    const whole = { ...trial(both, 0.9, 0.8), layers: all };
    const drops = withoutEachLayer(whole);
    expect(drops).toHaveLength(layers.length);
    expect(drops.map(candidateKey)).not.toContain(candidateKey(both));
    const lean = leanCandidates(
      whole,
      drops.map((candidate) => trial(candidate, 0.95, 0.9)),
    );
    expect(lean.length).toBeGreaterThan(0);
    for (const { masks } of lean) expect(masks.map(({ mask }) => mask.sites.length)).not.toContain(0);
    expect(lean.map(({ masks }) => masks[1]?.mask)).toEqual(lean.map(() => text));
  });

  it('takes a layer from the mask of one concept alone', () => {
    const [one] = base.masks;
    if (one === undefined) throw new Error('there is no mask');
    const both = { ...base, masks: [one, { ...one, concept: 'dog' }] };
    const all = [...layers, ...layers.map((layer) => ({ ...layer, concept: 'dog' }))];
    const found = withoutEachLayer({ ...trial(both, 0.9, 0.9), layers: all });
    expect(found).toHaveLength(all.length);
    expect(
      found.map(({ masks }) => masks.filter(({ mask }) => JSON.stringify(mask) === JSON.stringify(one.mask)).length),
    ).toEqual(all.map(() => 1));
  });
});

describe('leanCandidates', () => {
  const whole = trial(base, 0.9, 0.8);
  const drops = withoutEachLayer(whole);
  /** Without: the strong layer, the harmful one, the idle one, and one that costs as much as it gives. */
  const seen = [
    [0.5, 0.82],
    [0.91, 0.84],
    [0.899, 0.801],
    [0.87, 0.83],
  ].map(([erased = 0, kept = 0], i) => trial(drops[i] ?? base, erased, kept));
  const lean = leanCandidates(whole, seen);
  const texts = lean.map((candidate) => JSON.stringify(pruned(candidate)));

  it('are first without what only harms, and in the end without what does nothing', () => {
    expect(texts[0]).toMatch(/strong.*idle.*text/);
    for (const text of texts) {
      expect(text).toContain('strong');
      expect(text).not.toContain('harmful');
    }
    expect(texts.filter((text) => !text.includes('idle'))).not.toEqual([]);
  });

  it('give up what is erased for what is kept with some of them, and not with others', () => {
    const without = texts.filter((text) => !text.includes('text'));
    expect(without.length).toBeGreaterThan(0);
    expect(without.length).toBeLessThan(lean.length);
  });

  it('are each there once, without what layers were left out of', () => {
    expect(new Set(lean.map(candidateKey)).size).toBe(lean.length);
    expect(lean.map(candidateKey)).not.toContain(candidateKey(base));
  });

  it('are none where every layer does nothing, or each does something', () => {
    const same = (erased: number, kept: number) => drops.map((candidate) => trial(candidate, erased, kept));
    expect(leanCandidates(whole, same(0.9, 0.8))).toEqual([]);
    expect(leanCandidates(whole, same(0.95, 0.8)).length).toBeGreaterThan(0);
    expect(leanCandidates(whole, same(0.85, 0.75))).toEqual([]);
  });
});

describe('a site whose layers have ratios', () => {
  const site = { site: 'ffn2' as const, skillRatio: 0.1, selection: 'contrast' as const, margin: 1 };

  it('is scaled layer by layer, to at most the whole row', () => {
    expect(scaledSite({ ...site, layers: { a: 0.05, b: 0.9 } }, 1.4)).toMatchObject({ layers: { a: 0.07, b: 1 } });
    expect(scaledSite(site, 1.4)).toEqual({ ...site, skillRatio: 0.14 });
  });

  it('is scaled by the room above a margin of 1 where it is specific', () => {
    const specific = { ...site, selection: 'specific' as const, skillRatio: 1, margin: 1.2 };
    expect(scaledSite(specific, 2)).toEqual({ ...specific, margin: 1.1 });
    expect(scaledSite(scaledSite(specific, 2), 1 / 2)).toEqual(specific);
  });

  it('moves a margin close to 1 too, and none below it', () => {
    const specific = (margin: number) => ({ ...site, selection: 'specific' as const, skillRatio: 1, margin });
    expect(scaledSite(specific(1.02), 1.2)).toEqual(specific(1.01));
    expect(scaledSite(specific(1), 1 / 1.2)).toEqual(specific(1.01));
    expect(scaledSite(specific(1), 1.2)).toEqual(specific(1));
    expect(scaledSite(specific(0.9), 1.2)).toEqual(specific(1));
  });

  it('is printed with its margin where it is specific', () => {
    const sites = [
      { ...site, selection: 'specific' as const, skillRatio: 1, margin: 1.2 },
      {
        ...site,
        site: 'text' as const,
        selection: 'specific' as const,
        skillRatio: 1,
        margin: 1.1,
        layers: { 'text_model.encoder.layers.0.mlp.fc2': 1 },
      },
    ];
    const mask = { selectRatio: 0.8, sites };
    expect(candidateText({ against: 'retain', masks: [{ concept: 'cat', mask }] })).toBe(
      'ffn2 ×1.2 + text ×1.1 (layers.0), specific with retain, in more than 0.8 of the steps',
    );
  });

  it('is printed with the blocks that its layers are of', () => {
    const names = {
      'mid_block.attentions.0.transformer_blocks.0.ff.net.2': 0.05,
      'up_blocks.1.attentions.0.transformer_blocks.0.ff.net.2': 0.05,
      'up_blocks.2.attentions.0.transformer_blocks.0.ff.net.2': 0.1,
    };
    const mask = { selectRatio: 0, sites: [{ ...site, layers: names }] };
    expect(candidateText({ against: 'base', masks: [{ concept: 'cat', mask }] })).toBe(
      'ffn2 0.05 (mid_block.attentions.0, up_blocks.1.attentions.0) + ffn2 0.1 (up_blocks.2.attentions.0), contrast 1 with base',
    );
  });
});
