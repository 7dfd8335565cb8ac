import type { SiteName } from '../../shared/model/site.ts';
import type { ObservedUnit } from '../../shared/unit/unit.ts';
import type { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import type { SessionCache } from '../session/session-cache.ts';
import type { Observation } from './observation.ts';
import { observeDenoise } from './observe-denoise.ts';
import { observeEncode } from './observe-encode.ts';
import type { CallCounter, Supervision } from './phase.ts';

/**
 * Runs a unit: a unit and sites become a partial. The sums have the same bits whatever else is in the batch, whatever
 * other sites are tapped and wherever the trajectory was cut into windows.
 *
 * @param sessions may be shared by units and by models; what it keeps loaded is its own affair
 * @param states where the trajectories go on from, in the unit's order; undefined runs them from their start
 * @param counter is told of every call when it is made
 * @throws LetheError `unit-invalid`, `sampling-invalid` or `trajectory-invalid` for what is asked, `non-finite` with
 *   layer and step, `unit-stopped`, and what sessions throw.
 */
export async function observeUnit(
  model: StableDiffusion,
  sessions: SessionCache,
  unit: ObservedUnit,
  sites: readonly SiteName[],
  states: readonly Uint8Array[] | undefined,
  counter: CallCounter,
  supervision: Supervision,
): Promise<Observation> {
  if (unit.kind === 'denoise') return observeDenoise(model, sessions, unit, sites, states, counter, supervision);
  return {
    partial: await observeEncode(model, sessions, unit, sites, counter, supervision),
    states: [],
    timesteps: [],
  };
}
