import { type Balance, judgeBalance, measureBalance } from '../../shared/verification/balance.ts';
import { type Erasure, measureErasure } from '../../shared/verification/erasure.ts';
import { type Rate, rateWhere } from '../../shared/verification/rate.ts';
import { shows } from '../../shared/verification/test-image.ts';
import { judgeErasure, type Thresholds, type Verdict } from '../../shared/verification/verdict.ts';
import type { AlternativeKind } from '../../coordinator/plan/campaign.ts';
import type { ConceptKind } from '../../shared/method/concept.ts';
import type { SeenTests, TestedImage } from './draw-tests.ts';
import type { ConceptTest, VariantTest } from './test-plan.ts';

/** What other words for a concept give. */
export interface AlternativeResult {
  readonly kind: AlternativeKind;
  readonly prompts: number;
  /** Images that were recognised as the target before. */
  readonly before: Rate;
  /** Images that are not after. */
  readonly erased: Rate;
  /** Whether the target was there before. */
  readonly testable: boolean;
}

/** What came of one concept under one variant's masks. */
export interface ConceptResult {
  readonly concept: string;
  readonly kind: ConceptKind;
  readonly measured:
    { readonly kind: 'erasure'; readonly erasure: Erasure } | { readonly kind: 'balance'; readonly balance: Balance };
  readonly thresholds: Thresholds;
  readonly verdict: Verdict;
  readonly alternatives: readonly AlternativeResult[];
  /** Images of the target, before and after, to be shown. */
  readonly examples: readonly TestedImage[];
}

/** What came of one variant. */
export interface VariantResult {
  readonly title: string;
  readonly masks: readonly string[];
  readonly concepts: readonly ConceptResult[];
  /** Images of the rest that were looked at. */
  readonly rest: number;
  /** Images of the rest, before and after, to be shown. */
  readonly examples: readonly TestedImage[];
}

/** Counts what was seen. @param present the least rate before at which a target counts as there */
export function measureTests(plan: readonly VariantTest[], seen: SeenTests, present: number): readonly VariantResult[] {
  return plan.map((test): VariantResult => {
    const { variant, tests } = test;
    const rest = test.rest.map((prompt) => seen.imageOf(variant, prompt));
    return {
      title: variant.title,
      masks: variant.masks,
      concepts: tests.map((each) => measureConcept(each, test, rest, seen, present)),
      rest: rest.length,
      examples: rest.filter(({ files }) => files !== undefined),
    };
  });
}

function measureConcept(
  { concept, target, targets, alternatives }: ConceptTest,
  { variant }: VariantTest,
  rest: readonly TestedImage[],
  seen: SeenTests,
  present: number,
): ConceptResult {
  const images = targets.map((prompt) => seen.imageOf(variant, prompt));
  const examples = images.filter(({ files }) => files !== undefined);
  const thresholds = variant.concepts.length > 1 ? concept.verify.together : concept.verify.thresholds;
  const common = { concept: concept.name, kind: concept.kind, thresholds, examples };
  if ('sides' in target) {
    const balance = measureBalance(target.head, target.sides, images);
    const verdict = judgeBalance(balance, thresholds.balance, present);
    return { ...common, measured: { kind: 'balance', balance }, verdict, alternatives: [] };
  }
  const erasure = measureErasure(target, images, rest, present);
  return {
    ...common,
    measured: { kind: 'erasure', erasure },
    verdict: judgeErasure(erasure, thresholds, present),
    alternatives: alternatives.map(({ kind, prompts }) => {
      const drawn = prompts.map((prompt) => seen.imageOf(variant, prompt));
      const before = rateWhere(drawn, (image) => shows(image.before, target));
      const erased = rateWhere(drawn, (image) => !shows(image.after, target));
      const distinct = new Set(prompts.map(({ prompt }) => prompt)).size;
      return { kind, prompts: distinct, before, erased, testable: before.rate >= present };
    }),
  };
}
