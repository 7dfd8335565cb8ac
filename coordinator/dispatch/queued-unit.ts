import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { QueueName } from '../../shared/bus/names.ts';
import type { SiteName } from '../../shared/model/site.ts';
import type { Unit } from '../../shared/unit/unit.ts';
import { count, decodeStored, encodeStored, hash, name, site } from '../store/stored-json.ts';

const common = { checkpoint: name, numerics: name, graph: name };
const unitSchema: z.ZodType<Unit> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('denoise'),
    ...common,
    sampling: z.object({ scheduler: name, steps: count, guidance: z.number(), height: count, width: count }),
    trajectories: z.array(z.object({ prompt: z.string(), seed: z.string() })).min(1),
    window: z.object({ from: count, to: count }),
  }),
  z.object({ kind: z.literal('encode'), ...common, prompts: z.array(z.string()).min(1) }),
]);

const schema = z.object({
  hash,
  unit: unitSchema,
  sites: z.array(site).min(1),
  /** Bytes it needs. */
  memory: z.number().min(0),
  /** Its memory class, in GiB. */
  gib: z.number().min(0),
  /** The unit of the window before. */
  predecessor: hash.optional(),
  /** Whether a window follows that goes on from this one. */
  keepStates: z.boolean(),
});

/** A unit as it stands in the queue: all that a coordinator needs to lease it, also without the plan. */
export interface QueuedUnit {
  readonly hash: string;
  readonly unit: Unit;
  readonly sites: readonly SiteName[];
  readonly memory: number;
  readonly gib: number;
  readonly predecessor?: string | undefined;
  readonly keepStates: boolean;
}

export function queuedUnitBytes(queued: QueuedUnit): Uint8Array {
  return encodeStored(queued);
}

/** @throws LetheError `record-invalid` */
export function parseQueuedUnit(bytes: Uint8Array, where: string): QueuedUnit {
  return decodeStored(schema, bytes, where);
}

/** The queue of a campaign's units of one class. A class's own name is too long to be part of a consumer's. */
export function queueOf(campaign: string, numerics: string, gib: number): QueueName {
  const short = createHash('sha256').update(numerics).digest('hex').slice(0, 16);
  return { campaign, numerics: short, memory: `${gib}gib` };
}
