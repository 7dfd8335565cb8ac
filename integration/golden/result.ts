/** How one vector compares. */
export interface GoldenResult {
  readonly name: string;
  /** max |a-b| / max |b| for tensors, the number of differing elements where all have to be equal. */
  readonly error: number;
  readonly tolerance: number;
  /** What the error counts, for people: a line of its own. */
  readonly detail?: string;
}

export const passed = ({ error, tolerance }: GoldenResult): boolean => error <= tolerance;

/** `name error tolerance ok|FAIL` */
export function formatResult(result: GoldenResult): string {
  const error = Number.isInteger(result.error) ? String(result.error) : result.error.toExponential(2);
  return `${result.name} ${error} ${result.tolerance} ${passed(result) ? 'ok' : 'FAIL'}`;
}

/** Any length or value that cannot be compared counts as infinitely far. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i] ?? NaN, expected[i] ?? NaN];
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Infinity;
    difference = Math.max(difference, Math.abs(a - b));
    scale = Math.max(scale, Math.abs(b));
  }
  return difference === 0 ? 0 : difference / scale;
}

/** Elements that differ; by bits, so that a negative zero is not a zero. */
export function countDifferences(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let count = 0;
  for (let i = 0; i < expected.length; i++) if (!Object.is(actual[i], expected[i])) count += 1;
  return count;
}
