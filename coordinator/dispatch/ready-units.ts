import type { Output } from '../../shared/unit/unit.ts';
import type { PlannedUnit } from '../plan/plan.ts';
import type { Settled } from '../store/verdict.ts';

/** How a unit stands, given the records. */
export type UnitState =
  /** Every site has its result. */
  | { readonly kind: 'done' }
  /** Some site will never have one. */
  | { readonly kind: 'failed' }
  /** The window before it has no result yet. */
  | { readonly kind: 'blocked' }
  /** It can be run, for the sites that lack a result. */
  | { readonly kind: 'ready'; readonly sites: readonly Output[] };

/** What the records say of a unit and site. */
export type VerdictOf = (unit: string, site: Output) => Settled | undefined;

/**
 * A unit goes on from the state that its predecessor's record names, whichever site that is for; without a predecessor's
 * result it would run that window again.
 */
export function unitState(unit: PlannedUnit, verdictOf: VerdictOf): UnitState {
  const verdicts = unit.sites.map((site) => ({ site, verdict: verdictOf(unit.hash, site) }));
  if (verdicts.some(({ verdict }) => verdict?.kind === 'failed')) return { kind: 'failed' };
  const open = verdicts.flatMap(({ site, verdict }) => (verdict === undefined ? [site] : []));
  if (open.length === 0) return { kind: 'done' };
  const { predecessor } = unit;
  if (predecessor === undefined) return { kind: 'ready', sites: open };
  const before = unit.sites.map((site) => verdictOf(predecessor, site));
  if (before.some((verdict) => verdict?.kind === 'failed')) return { kind: 'failed' };
  return before.every((verdict) => verdict?.kind === 'result') ? { kind: 'ready', sites: open } : { kind: 'blocked' };
}
