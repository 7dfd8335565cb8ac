import { describe, expect, it } from 'vitest';
import { layerSettings, parseConceptPruneSettings } from './settings.ts';

describe('parseConceptPruneSettings', () => {
  it("has the paper's defaults", () => {
    expect(parseConceptPruneSettings({})).toEqual({
      tau: 10,
      selectRatio: 0,
      sites: [{ site: 'ffn2', skillRatio: 0.01, selection: 'reference', margin: 1 }],
    });
  });

  it('lets a site differ from the rest, whatever the order they are listed in', () => {
    const sites = [
      { site: 'ffn2', skill_ratio: 0.05 },
      { site: 'attn-value', selection: 'contrast', margin: 1.5 },
    ];
    const settings = parseConceptPruneSettings({ skill_ratio: 0.2, select_ratio: 0.5, sites });
    expect(parseConceptPruneSettings({ skill_ratio: 0.2, select_ratio: 0.5, sites: sites.toReversed() })).toEqual(
      settings,
    );
    expect(layerSettings(settings, 'ffn2', 'a')).toEqual({
      skillRatio: 0.05,
      selection: 'reference',
      margin: 1,
      selectRatio: 0.5,
    });
    expect(layerSettings(settings, 'attn-value', 'a')).toMatchObject({
      skillRatio: 0.2,
      selection: 'contrast',
      margin: 1.5,
    });
    expect(layerSettings(settings, 'text', 'a')).toBeUndefined();
  });

  it.each<[string, object, RegExp]>([
    ['a ratio of 0', { skill_ratio: 0 }, /skill_ratio/],
    ['a ratio above 1', { sites: [{ site: 'ffn2', skill_ratio: 1.1 }] }, /sites\.0\.skill_ratio/],
    ['a select ratio of 1, which prunes nothing', { select_ratio: 1 }, /select_ratio/],
    ['no steps', { tau: 0 }, /tau/],
    ['a negative margin', { margin: -1 }, /margin/],
    ['a selection that is none', { selection: 'best' }, /selection/],
    ['a site that is none', { sites: [{ site: 'ffn3' }] }, /sites\.0\.site/],
    ['a site twice', { sites: [{ site: 'ffn2' }, { site: 'ffn2' }] }, /listed twice/],
    ['no site', { sites: [] }, /sites/],
    ['a site of no layer', { sites: [{ site: 'ffn2', layers: {} }] }, /names no layer/],
    ['a ratio of a layer that is none', { sites: [{ site: 'ffn2', layers: { a: 0 } }] }, /sites\.0\.layers\.a/],
    [
      'more layers than any checkpoint has',
      { sites: [{ site: 'ffn2', layers: Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [i, 1])) }] },
      /more than 1000/,
    ],
    ['a misspelt key', { skil_ratio: 0.1 }, /skil_ratio/],
  ])('refuses %s', (_, settings, reason) => {
    expect(() => parseConceptPruneSettings(settings)).toThrow(reason);
  });
});
