import { describe, expect, it } from 'vitest';
import { campaign, concept } from '../../coordinator/plan/campaigns.spec-support.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { bitsOf } from '../../shared/mask/masks.spec-support.ts';
import { measureBalance } from '../../shared/verification/balance.ts';
import { measureErasure } from '../../shared/verification/erasure.ts';
import { judgeErasure } from '../../shared/verification/verdict.ts';
import { renderReport } from '../report/render-report.ts';
import { png } from '../report/report.spec-support.ts';
import type { ConceptResult } from './measure-tests.ts';
import { verificationReport } from './verification-report.ts';

const maskOf = (name: string): Mask => ({
  checkpoint: 'sha256:1',
  parts: [{ concept: name, method: 'conceptprune', settings: { tau: 10 } }],
  timesteps: [],
  layers: [{ site: 'ffn2', name: 'a.ff.net.2', union: bitsOf(1, 8, [[0, 0]]), steps: [] }],
});

const target = { head: 'object', label: 'cat' };
const seen = (asked: string, after: string) => {
  const labels = (object: string) => ({ object, style: 'Ink' });
  return { asked: labels(asked), before: labels(asked), after: labels(after), distance: 0.1 };
};

function resultOf(name: string): ConceptResult {
  const images = [seen('cat', 'other'), seen('cat', 'cat')];
  const rest = [seen('dog', 'dog'), seen('owl', 'dog'), seen('owl', 'owl')];
  const erasure = measureErasure(target, images, rest, 0.5);
  const thresholds = { ua: 0.9, ira: 0.5 };
  const prompt = { prompt: `a ${name}`, seed: '1000', asked: {} };
  const files = { before: png(1, 0, 0), after: png(0, 0, 1) };
  return {
    concept: name,
    kind: 'object',
    measured: { kind: 'erasure', erasure },
    thresholds,
    verdict: judgeErasure(erasure, thresholds, 0.5),
    alternatives: [],
    examples: images.map((image) => ({ ...image, prompt, files })),
  };
}

describe('verificationReport', () => {
  const results = [
    { title: 'cat', masks: ['1'], concepts: [resultOf('cat')], rest: 3, examples: [] },
    { title: 'cat + dog', masks: ['1', '2'], concepts: [resultOf('cat'), resultOf('dog')], rest: 3, examples: [] },
  ];
  const masks = ['cat', 'dog'].map((name, i) => ({ hash: String(i + 1), mask: maskOf(name) }));
  const reuse = { targets: { prompts: 2, swept: 1 }, rest: { prompts: 3, swept: 0 } };
  const found = { results, images: 12, reuse, passed: false };
  const own = campaign([concept('cat', ['a cat'], ['a dog'])]);
  const report = verificationReport(own, 'c-1', 'c.yaml', '2026-11-22T20:00:00Z', found, masks);

  it('tells of each concept by itself and with all masks, with rates, thresholds and why it failed', () => {
    expect(report.concepts.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['cat', 'failed'],
      ['cat, with all masks together', 'failed'],
      ['dog, with all masks together', 'failed'],
    ]);
    const [cat] = report.concepts;
    expect(cat?.why).toMatch(/ua is 0.5/);
    expect(cat?.measures).toMatchObject([
      { name: 'UA', after: { share: 0.5, of: 2 }, least: 0.9 },
      { name: 'IRA', after: { share: 2 / 3 }, least: 0.5 },
      { name: 'CRA', after: { share: 1, high: 1 } },
    ]);
    expect(cat?.bystanders.map(({ name, after }) => [name, after.share])).toEqual([
      ['dog', 1],
      ['owl', 0.5],
      ['Ink', 1],
    ]);
  });

  it('tells the shares of sides, and what shows none of them any more', () => {
    const sex = (before: string, after: string) => ({ before: { sex: before }, after: { sex: after } });
    const drawn = [sex('man', 'man'), sex('man', 'woman'), sex('man', 'none')];
    const balance = measureBalance('sex', ['man', 'woman'], drawn);
    const measured = { kind: 'balance' as const, balance };
    const of = { ...resultOf('man'), kind: 'gender' as const, measured, thresholds: { balance: 0.4 } };
    const one = [{ title: 'man', masks: ['1'], concepts: [of], rest: 3, examples: [] }];
    const own = verificationReport(campaign([]), 'c-1', 'c.yaml', '', { ...found, results: one }, masks);
    expect(own.concepts[0]?.measures).toMatchObject([
      { name: 'man', before: { share: 1, of: 3 }, after: { share: 0.5, of: 2 }, least: 0.4 },
      { name: 'woman', before: { share: 0, of: 3 }, after: { share: 0.5, of: 2 }, least: 0.4 },
      { name: 'none of them', before: { share: 0, of: 3 }, after: { share: 1 / 3, of: 3 } },
    ]);
  });

  it('tells two masks of one concept apart', () => {
    const two = ['1', '2'].map((hash) => {
      return { title: 'cat', masks: [hash], concepts: [resultOf('cat')], rest: 3, examples: [] };
    });
    const both = [
      { hash: '1', mask: maskOf('cat') },
      { hash: '2', mask: maskOf('cat') },
    ];
    const { concepts } = verificationReport(own, 'c-1', 'x', '', { ...found, results: two }, both);
    expect(concepts.map(({ name, mask }) => [name, mask])).toEqual([
      ['cat', '1'],
      ['cat', '2'],
    ]);
  });

  it('veils every image where one of the concepts is explicit', () => {
    const nude = { ...concept('nude', ['a nude'], ['a dog']), kind: 'explicit' as const };
    const { concepts } = verificationReport(campaign([...own.concepts, nude]), 'c-1', 'x', '', found, masks);
    expect(concepts.map(({ isVeiled }) => isVeiled)).toEqual([true, true, true]);
    expect(report.concepts.map(({ isVeiled }) => isVeiled)).toEqual([false, false, false]);
  });

  it('says how many test prompts were swept too', () => {
    expect(report.settings).toContainEqual({
      name: 'prompts',
      value: expect.stringMatching(/^1 of 2 test prompts of targets and 0 of 3 of the rest were swept too/) as string,
    });
  });

  it('has the images, densities and overlaps, and can be rendered', () => {
    expect(report.concepts.map(({ images, densities }) => [images.length, densities.length])).toEqual([
      [2, 1],
      [2, 0],
      [2, 0],
    ]);
    expect(report.overlaps).toEqual([{ first: 'cat', second: 'dog', both: 1, jaccard: 1 }]);
    expect(renderReport(report)).toContain('Worst kept: <b>owl</b>');
  });
});
