import type { Attempt } from '../store/attempt.ts';

/** How often a unit may fail, and how often its lease may be lost: losing one mostly has nothing to do with the unit. */
export interface AttemptLimits {
  readonly failed: number;
  readonly lost: number;
}

export const defaultLimits: AttemptLimits = { failed: 3, lost: 10 };

/** What becomes of a unit after an attempt. */
export type Judgement =
  | { readonly kind: 'again' }
  /** In a memory class twice as large. */
  | { readonly kind: 'more-memory'; readonly gib: number }
  /** For good: its verdict is `failed`, with the failure of the last attempt. */
  | { readonly kind: 'failed' };

/** Failures that no other worker would be spared. */
const certain: readonly string[] = [
  'non-finite',
  'unit-invalid',
  'sampling-invalid',
  'config-unsupported',
  'tensor-mismatch',
  'mask-invalid',
  'mask-mismatch',
];

/** What becomes of a unit whose attempts, in the order of their records, are these. */
export function judgeAttempts(attempts: readonly Attempt[], limits: AttemptLimits): Judgement {
  const last = attempts.at(-1);
  if (last === undefined) return { kind: 'again' };
  if (attempts.some(({ failure }) => certain.includes(failure.code))) return { kind: 'failed' };
  const failed = attempts.filter((attempt) => attempt.kind === 'failed' && !isOutOfMemory(attempt));
  const lost = attempts.filter(({ kind }) => kind === 'lost');
  const starved = attempts.filter(isOutOfMemory);
  if (failed.length >= limits.failed || lost.length >= limits.lost) return { kind: 'failed' };
  // A device with twice the memory is the last that is tried: a unit that doubles for ever has no end.
  if (starved.length >= limits.failed) return { kind: 'failed' };
  if (isOutOfMemory(last)) return { kind: 'more-memory', gib: 2 * last.gib };
  return { kind: 'again' };
}

/** Runtimes have no code for it: onnxruntime and CUDA say it in words. */
export function isOutOfMemory({ failure }: Attempt): boolean {
  return failure.code === 'out-of-memory' || /out of memory|bad_alloc|failed to allocate/i.test(failure.why);
}

/**
 * Whether a worker is to be suspended: it has failed so many different units in ways that speak against the worker. A
 * unit that other workers fail too speaks against the unit.
 */
export function unitsAgainst(worker: string, attempts: readonly Attempt[]): readonly string[] {
  const own = attempts.filter((attempt) => attempt.worker === worker && attempt.kind === 'failed');
  const telling = own.filter((attempt) => !certain.includes(attempt.failure.code) && !isOutOfMemory(attempt));
  const units = new Set(telling.map(({ unit }) => unit));
  return [...units].filter(
    (unit) => !attempts.some((other) => other.unit === unit && other.worker !== worker && other.kind === 'failed'),
  );
}

/** Different units that a worker fails before it is suspended. */
export const suspendAfter = 3;
