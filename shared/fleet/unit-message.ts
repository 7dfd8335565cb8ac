import type * as proto from '../../gen/fleet/v1/unit.ts';
import { LetheError } from '../error/lethe-error.ts';
import { type SiteName, sites } from '../model/site.ts';
import type { TappedLayer } from '../statistics/partial.ts';
import type { Output, Unit } from '../unit/unit.ts';
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
  if (unit.kind === 'image') {
    const { sampling, trajectories, mask } = unit;
    const value = {
      sampling: { ...sampling },
      trajectories: trajectories.map((trajectory) => ({ ...trajectory })),
      mask,
    };
    return { checkpoint, numerics, graph, work: { $case: 'image', value } };
  }
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
  const { $case: kind, value } = requirePart(work, 'unit.work');
  const { scheduler, steps, guidance, height, width } = requirePart(value.sampling, 'unit.sampling');
  for (const { seed } of value.trajectories)
    if (!/^\d{1,20}$/.test(seed)) throw violation('unit.trajectories.seed', 'it is no decimal number of up to 64 bits');
  const sampling = { scheduler, steps, guidance, height, width };
  const trajectories = value.trajectories.map(({ prompt, seed }) => ({ prompt, seed }));
  if (kind === 'image') {
    const { mask } = value;
    if (mask !== undefined && !/^[0-9a-f]{64}$/.test(mask)) throw violation('unit.mask', 'it is no hash of a mask');
    return { kind, ...common, sampling, trajectories, ...(mask === undefined ? {} : { mask }) };
  }
  const { from, to } = requirePart(value.window, 'unit.window');
  return { kind, ...common, sampling, trajectories, window: { from, to } };
}

/** @throws LetheError `protocol-violated` for a name that is no output's, none at all, or images beside statistics. */
export function outputsFromMessage(names: readonly string[]): readonly Output[] {
  if (names.length === 0) throw violation('sites', 'there are none');
  if (names.length === 1 && names[0] === 'image') return ['image'];
  return names.map(siteFromMessage);
}

/** The kinds of units a worker has named; those that every release knew where it named none, and none of a later one. */
export function kindsFromMessage(names: readonly string[]): readonly Unit['kind'][] {
  const kinds = ['denoise', 'encode', 'image'] as const;
  return names.length === 0 ? ['denoise', 'encode'] : kinds.filter((kind) => names.includes(kind));
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
