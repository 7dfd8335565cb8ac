import fc from 'fast-check';
import type { Candidate } from './candidate.ts';
import type { GridLimits } from './grid.ts';
import type { Requirement, Standing } from './standing.ts';
import type { Trial } from './trial.ts';

export const concepts = ['cat', 'violin'];

export const limits: GridLimits = {
  sites: [['ffn2'], ['ffn2', 'attn-value']],
  skillRatios: { ffn2: [0.02, 0.05, 0.1], 'attn-value': [0.1, 0.2], ffn1: [0.05], 'attn-key': [0.05], text: [0.05] },
  selections: ['reference', 'contrast'],
  margins: [1, 1.2],
  specificMargins: { ffn2: [1.1, 1.3], 'attn-value': [1.2], ffn1: [1.2], 'attn-key': [1.2], text: [1.2] },
  selectRatios: [0, 0.5],
  against: ['base', 'retain'],
};

export const requirements: readonly Requirement[] = [
  ...concepts.map((concept) => ({
    name: `UA of ${concept}`,
    side: { kind: 'erased' as const, concept },
    least: 0.9,
  })),
  { name: 'IRA', side: { kind: 'kept' }, least: 0.9 },
];

/** A candidate that differs from others in its ratio alone. */
export function candidateOf(skillRatio: number, margin = 1): Candidate {
  const sites = [{ site: 'ffn2' as const, skillRatio, selection: 'contrast' as const, margin }];
  return { against: 'base', masks: concepts.map((concept) => ({ concept, mask: { selectRatio: 0, sites } })) };
}

const standings: fc.Arbitrary<readonly Standing[]> = fc
  .array(fc.nat({ max: 20 }), { minLength: requirements.length, maxLength: requirements.length })
  .map((all) =>
    requirements.map((requirement, i) => ({ requirement, hits: all[i] ?? 0, of: 20, expected: (all[i] ?? 0) / 20 })),
  );

/** Trials of different candidates, measured alike. */
export const trials: fc.Arbitrary<readonly Trial[]> = fc
  .array(fc.record({ pruned: fc.nat({ max: 50 }), standings }), { minLength: 1, maxLength: 12 })
  .map((all) => all.map((each, i) => ({ ...each, candidate: candidateOf((i + 1) / 100), samples: 20, layers: [] })));
