/** The two-sided 95 % quantile of the normal distribution. */
const z = 1.959963984540054;

/** A share that was counted, and what the share of all such cases may be. */
export interface Rate {
  readonly count: number;
  readonly of: number;
  /** count / of; 0 of nothing. */
  readonly rate: number;
  /** 95 %. */
  readonly interval: Interval;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** So many of so many, with Wilson's score interval (Wilson 1927, doi 10.1080/01621459.1927.10502953): 0 to 1 of nothing. */
export function rateOf(count: number, of: number): Rate {
  return { count, of, rate: of === 0 ? 0 : count / of, interval: wilson(count, of) };
}

function wilson(count: number, of: number): Interval {
  if (of === 0) return { low: 0, high: 1 };
  const share = count / of;
  const scale = 1 + z ** 2 / of;
  const centre = (share + z ** 2 / (2 * of)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  // Exactly 0 and 1 at the ends, which rounding would miss.
  return { low: count === 0 ? 0 : centre - half, high: count === of ? 1 : centre + half };
}

/** The share of cases for which something holds. */
export function rateWhere<T>(cases: readonly T[], holds: (each: T) => boolean): Rate {
  return rateOf(cases.filter(holds).length, cases.length);
}
