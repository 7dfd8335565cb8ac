import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { QueueName } from '../../shared/bus/names.ts';
import type { Output, Unit } from '../../shared/unit/unit.ts';
import { decodeStored, encodeStored, hash, output } from '../store/stored-json.ts';
import { unitSchema } from '../store/unit-schema.ts';

const schema = z.object({
  hash,
  unit: unitSchema,
  sites: z.array(output).min(1),
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
  readonly sites: readonly Output[];
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
