import type { MaskedLayer } from '../method/method.ts';
import { type BitMatrix, emptyBits } from '../tensor/bit-matrix.ts';
import { canonicalJson } from '../unit/canonical-json.ts';
import { union } from './bit-set.ts';
import { maskMismatch } from './mask-mismatch.ts';

/** A value that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Where pruned weights come from. */
export interface MaskPart {
  readonly concept: string;
  readonly method: string;
  /** Of the method, all of them. */
  readonly settings: Json;
}

/** The weights to prune for a concept, or for several together. */
export interface Mask {
  /** Id of the checkpoint. */
  readonly checkpoint: string;
  /** One for each concept, in canonical order. */
  readonly parts: readonly MaskPart[];
  /** Of the observed steps, not increasing; PNDM calls the UNet twice at its second one. Empty if nothing depends on them. */
  readonly timesteps: readonly number[];
  /** In the order of their names (code points), each once. */
  readonly layers: readonly MaskedLayer[];
}

/** A mask with everything in its order. @throws LetheError `mask-mismatch` for a layer twice, and steps without timesteps. */
export function maskOf({ checkpoint, parts, timesteps, layers }: Mask): Mask {
  const sorted = layers.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const [i, { name, union: all, steps }] of sorted.entries()) {
    if (sorted[i - 1]?.name === name) throw maskMismatch(name, 'the layer is there twice');
    if (steps.length !== 0 && steps.length !== timesteps.length)
      throw maskMismatch(name, `it has ${steps.length} steps, and the mask ${timesteps.length} timesteps`);
    if (steps.some(({ rows, columns }) => rows !== all.rows || columns !== all.columns))
      throw maskMismatch(name, 'its steps have another shape than their union');
  }
  if (timesteps.some((timestep, i) => !Number.isFinite(timestep) || timestep > (timesteps[i - 1] ?? Infinity)))
    throw maskMismatch('timesteps', `[${timesteps.join(', ')}] are not finite or increase`);
  const known = new Map(parts.map((part) => [canonicalJson(part), part]));
  const ordered = [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
  return { checkpoint, parts: ordered, timesteps, layers: sorted };
}

/**
 * What is pruned of a layer in a UNet call at a timestep: the set of the nearest scored timestep (of two as near the
 * earlier, which is larger; of calls at the same one, all); below the last scored one, and where nothing depends on the
 * step, the union.
 */
export function bitsAt({ union: all, steps }: MaskedLayer, timesteps: readonly number[], timestep: number): BitMatrix {
  const nearest = nearestTimestep(timesteps, timestep);
  if (steps.length === 0 || nearest === undefined) return all;
  const sets = steps.filter((_, i) => timesteps[i] === nearest);
  return sets.reduce(union, emptyBits(all.rows, all.columns));
}

/** The scored timestep whose sets are used at a timestep; undefined below the last, where the union is. */
export function nearestTimestep(timesteps: readonly number[], timestep: number): number | undefined {
  const last = timesteps.at(-1);
  if (last === undefined || timestep < last) return undefined;
  return timesteps.reduce((best, each) => (Math.abs(each - timestep) < Math.abs(best - timestep) ? each : best));
}

/**
 * The mask of several concepts together: at every timestep that one of them was scored at, each once, what any of them
 * prunes there. Masks of one scheduler, of whatever τ, prune together what they prune alone at every one of its timesteps.
 *
 * @throws LetheError `mask-mismatch` for no mask, masks of different checkpoints, and layers of different shapes or sites.
 */
export function uniteMasks(masks: readonly Mask[]): Mask {
  const [first] = masks;
  if (first === undefined) throw maskMismatch('masks', 'there is none');
  const other = masks.find(({ checkpoint }) => checkpoint !== first.checkpoint);
  if (other !== undefined)
    throw maskMismatch('checkpoints', `one is of ${first.checkpoint}, another of ${other.checkpoint}`);
  const timesteps = [...new Set(masks.flatMap((mask) => mask.timesteps))].sort((a, b) => b - a);
  const names = [...new Set(masks.flatMap(({ layers }) => layers.map(({ name }) => name)))];
  const layers = names.map((name): MaskedLayer => {
    const found = masks.flatMap((mask) =>
      mask.layers.filter((layer) => layer.name === name).map((layer) => ({ layer, timesteps: mask.timesteps })),
    );
    const sites = [...new Set(found.map(({ layer }) => layer.site))];
    const [site] = sites;
    if (site === undefined || sites.length > 1) throw maskMismatch(name, `it is of the sites ${sites.join(' and ')}`);
    const merge = (sets: readonly BitMatrix[]): BitMatrix => sets.reduce(union);
    const depends = found.some(({ layer }) => layer.steps.length > 0);
    const steps = depends
      ? timesteps.map((timestep) => merge(found.map((each) => bitsAt(each.layer, each.timesteps, timestep))))
      : [];
    return { site, name, union: merge(found.map(({ layer }) => layer.union)), steps };
  });
  return maskOf({ checkpoint: first.checkpoint, parts: masks.flatMap(({ parts }) => parts), timesteps, layers });
}
