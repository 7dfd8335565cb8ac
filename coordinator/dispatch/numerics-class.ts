import type { Capabilities } from '../../shared/fleet/task.ts';

/** The numerics class with most workers that hold a checkpoint; of equal ones the first by name. */
export function classWithMostCapacity(workers: readonly Capabilities[], checkpoint: string): string | undefined {
  const counts = new Map<string, number>();
  for (const { numerics, checkpoints } of workers)
    if (checkpoints.includes(checkpoint)) counts.set(numerics, (counts.get(numerics) ?? 0) + 1);
  const [best] = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return best?.[0];
}
