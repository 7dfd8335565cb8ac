import { z } from 'zod';
import { hash, name } from './stored-json.ts';

/** A worker that is given no more units. Deleting the record ends it. */
export const suspensionSchema = z.object({ worker: name, reason: z.string(), units: z.array(hash) });
export type Suspension = z.infer<typeof suspensionSchema>;
