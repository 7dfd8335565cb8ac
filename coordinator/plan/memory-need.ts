import type { GraphCost } from '../../shared/model/graph/cost.ts';
import type { MemoryNeed } from './plan.ts';

/** What is alive beside the largest operation: the skip connections and the runtime's own. */
const headroom = 2;

const gibibyte = 2 ** 30;

/** What a model needs for so many trajectories or prompts at once. */
export function memoryNeed({ weightBytes, peakBytes }: GraphCost, items: number): MemoryNeed {
  const bytes = weightBytes + headroom * peakBytes * items;
  return { bytes, gib: 2 ** Math.max(0, Math.ceil(Math.log2(bytes / gibibyte))) };
}
