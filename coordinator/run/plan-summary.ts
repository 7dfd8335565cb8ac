import type { Output } from '../../shared/unit/unit.ts';
import type { PlanSummary } from '../api/campaign-service.ts';
import { billOf, type Rates } from '../plan/bill.ts';
import type { Plan } from '../plan/plan.ts';
import { pinnedClass } from './plan-entry.ts';

/** A plan in numbers. @param isStored whether the result of a unit for a site is stored */
export function planSummary(
  plan: Plan,
  isStored: (unit: string, site: Output) => boolean,
  rates: Rates,
  leftOut: PlanSummary['leftOut'],
  warnings: readonly string[],
): PlanSummary {
  const bill = billOf(plan, isStored, rates);
  return {
    units: bill.units.total,
    done: bill.units.stored,
    unetCalls: bill.unetCalls.run,
    totalUnetCalls: bill.unetCalls.total,
    referenceUnetCalls: bill.reference.unetCalls,
    workerSeconds: bill.seconds * bill.rates.workers,
    numerics: pinnedClass(plan) ?? '',
    leftOut,
    warnings,
  };
}
