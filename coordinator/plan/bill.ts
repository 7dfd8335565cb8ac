import { partialLength } from '../../shared/statistics/partial.ts';
import { guidanceRows, type Output, unitSize } from '../../shared/unit/unit.ts';
import type { Plan, PlannedUnit, UnitPlan } from './plan.ts';
import { unetCallsOf } from './unet-calls.ts';

/** How fast a worker is: seconds of one trajectory's UNet call and of one prompt's text encoder pass. */
export interface Rates {
  readonly unetSeconds: number;
  readonly textSeconds: number;
  /** Workers that share the units. */
  readonly workers: number;
  /** Whether the seconds were measured on them; else they are reckoned from operations. */
  readonly measured: boolean;
}

/** Operations a second of one CPU core: a tapped call of emoji-sd, 1.67 GFLOP, takes 16 to 19 ms (docs/performance.md). */
const coreFlops = 8.5e10;

/** Rates of workers that nobody has measured: one CPU core each. */
export function defaultRates({ cost }: Plan, workers: number): Rates {
  const secondsOf = (flops: number): number => flops / coreFlops;
  return {
    unetSeconds: secondsOf(cost.unet.flops),
    textSeconds: secondsOf(cost.textEncoder.flops),
    workers,
    measured: false,
  };
}

/** So many in all; some need not be done again. */
export interface Amount {
  readonly total: number;
  readonly stored: number;
  readonly run: number;
}

/** What a sweep costs. */
export interface Bill {
  readonly campaign: string;
  readonly concepts: number;
  readonly units: Amount;
  /** Steps of trajectories: a call on a batch of eight counts eight. */
  readonly unetCalls: Amount;
  /** Calls of the model, each on a batch. */
  readonly unetBatches: Amount;
  /** Prompts through the text encoder, the empty one included; a worker that keeps embeddings makes fewer. */
  readonly textEncoderPasses: Amount;
  /** Statistics that workers send. */
  readonly partialBytes: Amount;
  /** Until the last unit is done, if all workers are busy throughout; not counting the loading of models. */
  readonly seconds: number;
  readonly rates: Rates;
  /** Units by the memory they need, least first. */
  readonly memory: readonly { readonly gib: number; readonly units: number }[];
  /** The procedure of the paper: whole trajectories, both prompts of every pair, each concept by itself. */
  readonly reference: {
    readonly unetCalls: number;
    /** Reference calls for each of the plan's; absent where the plan makes none. */
    readonly ratio?: number;
  };
}

/**
 * Counts what a plan runs and what of it is there already.
 *
 * @param isStored whether the result of a unit for a site is stored.
 */
export function billOf(plan: Plan, isStored: (unit: string, site: Output) => boolean, rates: Rates): Bill {
  const missing = missingUnits(plan, isStored);
  const amount = (of: (unit: PlannedUnit) => number): Amount => {
    const total = sum(plan.units, of);
    const run = sum(missing, of);
    return { total, stored: total - run, run };
  };
  const unetCalls = amount(unetCallsOf);
  const textEncoderPasses = amount((unit) => textPasses(unit));
  const bytes = sum(plan.units, (unit) => partialBytes(plan, unit, unit.sites));
  const bytesRun = sum(missing, (unit) => partialBytes(plan, unit, unit.sites));
  const sizes = new Map(plan.cohorts.map(({ id, size }) => [id, size]));
  const referenceCalls = sum(plan.concepts, ({ target }) => 2 * (sizes.get(target) ?? 0) * plan.calls);
  const gibs = [...new Set(plan.units.map(({ memory }) => memory.gib))].sort((a, b) => a - b);
  return {
    campaign: plan.campaign,
    concepts: plan.concepts.length,
    units: amount(() => 1),
    unetCalls,
    unetBatches: amount(({ unit }) => (unit.kind === 'denoise' ? unitSize(unit).steps : 0)),
    textEncoderPasses,
    partialBytes: { total: bytes, stored: bytes - bytesRun, run: bytesRun },
    seconds: (unetCalls.run * rates.unetSeconds + textEncoderPasses.run * rates.textSeconds) / rates.workers,
    rates,
    memory: gibs.map((gib) => ({ gib, units: plan.units.filter(({ memory }) => memory.gib === gib).length })),
    reference: {
      unetCalls: referenceCalls,
      ...(unetCalls.total === 0 ? {} : { ratio: referenceCalls / unetCalls.total }),
    },
  };
}

/** The units that have to run, in the plan's order, each with the sites that are not stored. */
export function missingUnits(
  { units }: Pick<UnitPlan, 'units'>,
  isStored: (unit: string, site: Output) => boolean,
): readonly PlannedUnit[] {
  return units.flatMap((unit) => {
    const sites = unit.sites.filter((site) => !isStored(unit.hash, site));
    return sites.length === 0 ? [] : [{ ...unit, sites }];
  });
}

function textPasses({ unit }: PlannedUnit): number {
  if (unit.kind === 'encode') return unit.prompts.length;
  const prompts = new Set(unit.trajectories.map(({ prompt }) => prompt));
  if (guidanceRows(unit.sampling) === 2) prompts.add('');
  return prompts.size;
}

function partialBytes(plan: Plan, { unit }: PlannedUnit, sites: readonly Output[]): number {
  const { items, steps } = unitSize(unit);
  const layers = plan.sites
    .filter(({ site }) => sites.includes(site))
    .flatMap(({ site, layers: all }) => all.map(({ name, in: neurons }) => ({ site, name, neurons })));
  return 4 * partialLength(layers, steps, items);
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
