import type * as proto from '../../gen/fleet/v1/unit.ts';
import { LetheError } from '../error/lethe-error.ts';
import { type SiteName, sites } from '../model/site.ts';
import type { TappedLayer } from '../statistics/partial.ts';
import type { Unit } from '../unit/unit.ts';
import type { RemoteFailure } from './task.ts';
import { requirePart, violation } from './violation.ts';

/** A unit as a message. */
export function unitToMessage(unit: Unit): proto.Unit {
  const { checkpoint, numerics, graph } = unit;
  if (unit.kind === 'encode')
    return {
      checkpoint,
      numerics,
      graph,
      work: { $case: 'encode', value: { prompts: [...unit.prompts] } },
    };
  const { sampling, trajectories, window } = unit;
  return {
    checkpoint,
    numerics,
    graph,
    work: {
      $case: 'denoise',
      value: {
        sampling: { ...sampling },
        trajectories: trajectories.map((trajectory) => ({ ...trajectory })),
        window: { ...window },
      },
    },
  };
}

/** The unit in a message; its values are checked where it is run. @throws LetheError `protocol-violated` */
export function unitFromMessage(message: proto.Unit | undefined): Unit {
  const { checkpoint, numerics, graph, work } = requirePart(message, 'unit');
  const common = { checkpoint, numerics, graph };
  if (work?.$case === 'encode') return { kind: 'encode', ...common, prompts: work.value.prompts };
  const denoise = requirePart(work, 'unit.work').value;
  const { scheduler, steps, guidance, height, width } = requirePart(denoise.sampling, 'unit.sampling');
  const { from, to } = requirePart(denoise.window, 'unit.window');
  for (const { seed } of denoise.trajectories)
    if (!/^\d{1,20}$/.test(seed)) throw violation('unit.trajectories.seed', 'it is no decimal number of up to 64 bits');
  return {
    kind: 'denoise',
    ...common,
    sampling: { scheduler, steps, guidance, height, width },
    trajectories: denoise.trajectories.map(({ prompt, seed }) => ({ prompt, seed })),
    window: { from, to },
  };
}

/** @throws LetheError `protocol-violated` for a name that is no site's, or none at all. */
export function sitesFromMessage(names: readonly string[]): readonly SiteName[] {
  if (names.length === 0) throw violation('sites', 'there are none');
  return names.map(siteFromMessage);
}

export function layersFromMessage(layers: readonly proto.TappedLayer[]): readonly TappedLayer[] {
  return layers.map(({ site, name, neurons }) => ({ site: siteFromMessage(site), name, neurons }));
}

function siteFromMessage(name: string): SiteName {
  const site = sites.find((each) => each.name === name);
  if (site === undefined) throw violation('sites', `${JSON.stringify(name)} is no site`);
  return site.name;
}

/** Any error as a message; one that is no LetheError is a defect, and is told as `internal`. */
export function failureToMessage(error: unknown): proto.Failure {
  if (error instanceof LetheError) {
    const { code, what, where = '', why, next, layer, step } = error;
    return { code, what, where, why, next, layer, step };
  }
  return {
    code: 'internal',
    what: 'something unforeseen failed',
    where: '',
    why: error instanceof Error ? error.message : String(error),
    next: 'report this with the log around it',
    layer: undefined,
    step: undefined,
  };
}

export function failureFromMessage(message: proto.Failure | undefined): RemoteFailure {
  const { code, what, where, why, next, layer, step } = requirePart(message, 'failure');
  return { code, what, where, why, next, layer, step };
}
