import type { Erasure } from './erasure.ts';

/** The least values with which a mask passes; what is absent is not asked for. */
export interface Thresholds {
  readonly ua?: number;
  readonly ira?: number;
  readonly cra?: number;
  /** Of kind gender: share of the rarer side. */
  readonly balance?: number;
}

/** A value that is below its threshold. */
export interface Miss {
  readonly measure: keyof Thresholds;
  readonly value: number;
  readonly least: number;
}

/** Whether a mask does what is asked of it. */
export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly misses: readonly Miss[] }
  /** What was to be measured was not there before: that it is not there after says nothing. Never a pass. */
  | { readonly kind: 'not testable'; readonly why: string };

/**
 * Rates as they were counted against thresholds.
 *
 * @param present the least rate before at which a target counts as there
 */
export function judgeErasure(
  { before, ua, ira, cra }: Pick<Erasure, 'before' | 'ua' | 'ira' | 'cra'>,
  thresholds: Thresholds,
  present: number,
): Verdict {
  if (before.of === 0 || before.rate < present)
    return {
      kind: 'not testable',
      why: `it was recognised in ${before.count} of ${before.of} images before, less than ${present} of them`,
    };
  const asked = [
    { measure: 'ua', value: ua.rate, least: thresholds.ua },
    { measure: 'ira', value: ira.share, least: thresholds.ira },
    { measure: 'cra', value: cra.share, least: thresholds.cra },
  ] as const;
  const unknown = asked.find(({ value, least }) => least !== undefined && value === undefined);
  if (unknown !== undefined)
    return { kind: 'not testable', why: `nothing that ${unknown.measure} counts was recognised before` };
  return verdictOf(asked);
}

/** Passed unless a value is below what is asked. */
export function verdictOf(
  asked: readonly {
    readonly measure: keyof Thresholds;
    readonly value: number | undefined;
    readonly least: number | undefined;
  }[],
): Verdict {
  const misses = asked.flatMap(({ measure, value = 0, least }) =>
    least !== undefined && value < least ? [{ measure, value, least }] : [],
  );
  return misses.length === 0 ? { kind: 'passed' } : { kind: 'failed', misses };
}
