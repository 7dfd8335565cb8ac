import { z } from 'zod';
import { failure, hash, name } from './stored-json.ts';

/**
 * An attempt at a unit that gave no result. `failed`: the worker said so. `lost`: its lease was given up, because worker
 * or device went silent.
 */
export const attemptSchema = z.object({
  unit: hash,
  worker: name,
  kind: z.enum(['failed', 'lost']),
  /** Memory class it ran in, in GiB. */
  gib: z.number(),
  failure,
});
export type Attempt = z.infer<typeof attemptSchema>;
