import { unitSize } from '../../shared/unit/unit.ts';
import type { PlannedUnit } from './plan.ts';

/** UNet calls of a unit, times the trajectories in each. */
export function unetCallsOf({ unit, calls = 0 }: PlannedUnit): number {
  switch (unit.kind) {
    case 'denoise':
      return unitSize(unit).items * unitSize(unit).steps;
    case 'encode':
      return 0;
    case 'image':
      return unit.trajectories.length * calls;
  }
}
