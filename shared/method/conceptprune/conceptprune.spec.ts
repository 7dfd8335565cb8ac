import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDirectory, safetensorsFile } from '../../checkpoint/fixture.spec-support.ts';
import { readSafetensors } from '../../checkpoint/read-safetensors.ts';
import type { ComponentName } from '../../checkpoint/tensor-names.ts';
import type { Weights } from '../../checkpoint/weights.ts';
import { input } from '../../model/graph/value.ts';
import type { Concept } from '../concept.ts';
import type { MaskChange } from '../method.ts';
import { type CohortStatistics, conceptPrune, startConceptPrune } from './conceptprune.ts';
import { score } from './score-job.ts';
import { parseConceptPruneSettings } from './settings.ts';

const concept: Concept = { name: 'c', kind: 'style', target: ['a, styled', 'b, styled'], base: ['a', 'b'] };
const both = {
  sites: [
    { site: 'ffn2', skill_ratio: 0.25 },
    { site: 'attn-value', skill_ratio: 0.5, selection: 'contrast' },
  ],
  tau: 2,
};
const scorer = async (jobs: readonly Parameters<typeof score>[0][]) => Promise.all(jobs.map(score));

/** Sums of a cohort of `count` trajectories: ffn2 with two steps, attn-value with one. */
function sums(count: number, first: number[], second: number[], value: number[]): CohortStatistics {
  const summed = (values: number[], counted: number) => ({ count: counted, values: Float64Array.from(values) });
  return {
    layers: [
      { layer: { site: 'ffn2', name: 'mid.ff.net.2' }, steps: [summed(first, count), summed(second, count)] },
      { layer: { site: 'attn-value', name: 'mid.attn2.to_v' }, steps: [summed(value, 2 * count)] },
    ],
  };
}

describe('conceptprune', () => {
  let directory: string;
  let weights: Record<ComponentName, Weights>;
  beforeAll(async () => {
    directory = await newDirectory();
    const path = join(directory, 'w.safetensors');
    const ones = new Uint8Array(Float32Array.from({ length: 4 }, () => 1).buffer);
    const matrix = (name: string) => ({ name: `${name}.weight`, dtype: 'F32' as const, shape: [1, 4], data: ones });
    await writeFile(
      path,
      safetensorsFile([matrix('mid.ff.net.2'), matrix('mid.attn2.to_v'), matrix('mid.attn2.to_k')]),
    );
    const file = await readSafetensors(path);
    const tensors = new Map([...file.tensors].map(([name, entry]) => [name, { ...entry, file: path }]));
    const none = { files: [], tensors: new Map() };
    weights = { unet: { files: [file], tensors }, text_encoder: none, vae: none };
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('asks for target and base at every site, once, and is done', () => {
    const state = startConceptPrune(concept, parseConceptPruneSettings(both));
    expect(
      conceptPrune.next(state).map(({ name, sites, steps, trajectories }) => [name, sites, steps, trajectories.length]),
    ).toEqual([
      ['target', ['attn-value', 'ffn2'], 2, 2],
      ['base', ['attn-value', 'ffn2'], 2, 2],
    ]);
    expect(conceptPrune.next(conceptPrune.reduce(state, new Map()))).toEqual([]);
  });

  it('asks for the retain list at the sites that contrast, and for the base at the others', () => {
    const state = startConceptPrune({ ...concept, retain: ['x', 'y', 'z'] }, parseConceptPruneSettings(both));
    expect(conceptPrune.next(state).map(({ name, sites }) => [name, sites])).toEqual([
      ['target', ['attn-value', 'ffn2']],
      ['base', ['ffn2']],
      ['retain', ['attn-value']],
    ]);
    const settings = parseConceptPruneSettings({});
    expect(() => startConceptPrune({ ...concept, retain: ['x'] }, settings)).toThrow(
      /only the selections contrast and specific/,
    );
  });

  it('taps the inputs of the layers of its sites', () => {
    const [demand] = conceptPrune.next(startConceptPrune(concept, parseConceptPruneSettings({})));
    const x = (name: string) => input(name, { element: 'float', shape: [6, 4] });
    const inputs = new Map(['mid.ff.net.2', 'mid.ff.net.0.proj', 'mid.attn2.to_k'].map((name) => [name, x(name)]));
    const outputs = conceptPrune.outputs(demand!, inputs, 2);
    expect(outputs.map(({ site, name, value }) => [site, name, value.type.shape])).toEqual([
      ['ffn2', 'mid.ff.net.2', [2, 1, 4]],
    ]);
  });

  it('makes masks of every site by its own settings, steps where the site has them', async () => {
    const state = conceptPrune.reduce(
      startConceptPrune(concept, parseConceptPruneSettings(both)),
      new Map([
        ['target', sums(2, [1, 9, 1, 1], [1, 1, 9, 1], [8, 4, 9, 1])],
        ['base', sums(2, [1, 1, 1, 1], [1, 1, 16, 1], [1, 3, 9, 4])],
      ]),
    );
    const { layers } = (await conceptPrune.finish(state, weights, scorer)) as MaskChange;
    expect(
      layers.map(({ site, name, union, steps }) => [site, name, union.bytes[0], steps.map(({ bytes }) => bytes[0])]),
    ).toEqual([
      // By 2.83-1, 2-1.73, 3-3, 1-2: the two largest.
      ['attn-value', 'mid.attn2.to_v', 0b0011, []],
      // At the second step the largest of the target is larger in the base.
      ['ffn2', 'mid.ff.net.2', 0b0010, [0b0010, 0]],
    ]);
  });

  it('makes masks of the layers that a site names alone, each by its own ratio', async () => {
    const masked = async (layers: Record<string, number>): Promise<readonly unknown[]> => {
      const settings = parseConceptPruneSettings({ sites: [{ site: 'attn-value', layers }], skill_ratio: 1 });
      const state = conceptPrune.reduce(
        startConceptPrune(concept, settings),
        new Map([
          ['target', sums(2, [], [], [8, 4, 9, 1])],
          ['base', sums(2, [], [], [1, 1, 1, 1])],
        ]),
      );
      const { layers: made } = (await conceptPrune.finish(state, weights, scorer)) as MaskChange;
      return made.map(({ name, union }) => [name, union.bytes[0]]);
    };
    expect(await masked({ 'mid.attn2.to_v': 0.5 })).toEqual([['mid.attn2.to_v', 0b0101]]);
    expect(await masked({ 'mid.attn2.to_v': 0.25 })).toEqual([['mid.attn2.to_v', 0b0100]]);
    expect(await masked({ 'other.attn2.to_v': 0.5 })).toEqual([]);
  });

  it('compares lists of unequal length by their means', async () => {
    const settings = parseConceptPruneSettings({
      sites: [{ site: 'attn-value', skill_ratio: 1, selection: 'contrast' }],
    });
    const state = conceptPrune.reduce(
      startConceptPrune({ ...concept, retain: ['x', 'y', 'z', 'u'] }, settings),
      new Map([
        ['target', sums(2, [], [], [5, 3, 1, 1])],
        // Twice as many: means of 4, 4, 0.5 and 1 where the target has 5, 3, 1 and 1.
        ['retain', sums(4, [], [], [8, 8, 1, 2])],
      ]),
    );
    const { layers } = (await conceptPrune.finish(state, weights, scorer)) as MaskChange;
    expect(layers.map(({ union }) => union.bytes[0])).toEqual([0b0101]);
  });

  it('refuses sums that lack a layer', async () => {
    const state = conceptPrune.reduce(startConceptPrune(concept, parseConceptPruneSettings({})), new Map());
    await expect(conceptPrune.finish(state, weights, scorer)).rejects.toThrow(/ffn2.*sums of target/);
  });
});
