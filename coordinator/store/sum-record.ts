import { z } from 'zod';
import { blob, hash, name, site } from './stored-json.ts';

/** The sum of a cohort over one site, as whoever came first made it. Scoring reads no other. */
export const sumRecordSchema = z.object({ cohort: hash, key: hash, site, sum: blob, coordinator: name });
export type SumRecord = z.infer<typeof sumRecordSchema>;
