import { z } from 'zod';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { blob, count, decodeStored, failure, hash, name, output, site } from './stored-json.ts';

/** Milliseconds. */
const timings = z.object({
  loading: z.number(),
  encoding: z.number(),
  steps: z.number(),
  /** Not in records of releases that made no images. */
  decoding: z.number().default(0),
});

/** Of the attempt that made the blob, whatever it is for. */
const calls = z.object({ unetCalls: count, unetRuns: count, prompts: count });

/**
 * How a unit ended for one site, or for its images, once and for all. One blob may be named by several: a worker taps all sites that were
 * wanted of it at once.
 */
export const verdictSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('result'),
    unit: hash,
    site,
    worker: name,
    /** Of the blob, in its order. */
    layers: z.array(z.object({ site, name, neurons: z.int().min(1) })),
    steps: z.int().min(1),
    items: z.int().min(1),
    /** Of each step; none for a text encoder pass. */
    timesteps: z.array(z.number()),
    /** The partial's values, fp32, little-endian. */
    partial: blob,
    /** Trajectories after the window, one after the other in one blob; absent where no window follows. */
    states: z.object({ blob, lengths: z.array(count) }).optional(),
    timings,
    calls,
  }),
  z.object({
    kind: z.literal('images'),
    unit: hash,
    site: z.literal('image'),
    worker: name,
    /** PNG files in the order of the unit's trajectories, one after the other in one blob. */
    images: z.object({ blob, lengths: z.array(z.int().min(1)).min(1) }),
    timings,
    calls,
  }),
  z.object({
    kind: z.literal('failed'),
    unit: hash,
    site: output,
    /** Of the last attempt. */
    failure,
    attempts: count,
  }),
  z.object({
    /** What a result named is gone or is not what it was: the unit is run again, and its record takes this one's place. */
    kind: z.literal('repair'),
    unit: hash,
    site: output,
    /** The blob that was found so. */
    damaged: name,
  }),
]);
export type Verdict = z.infer<typeof verdictSchema>;
export type ResultVerdict = Extract<Verdict, { kind: 'result' }>;
export type ImagesVerdict = Extract<Verdict, { kind: 'images' }>;
export type FailedVerdict = Extract<Verdict, { kind: 'failed' }>;

/** A verdict by which a unit has ended. */
export type Settled = ResultVerdict | ImagesVerdict | FailedVerdict;

/** A verdict and the sequence it stands under, by which a repair replaces it. */
export interface StoredVerdict {
  readonly verdict: Verdict;
  readonly sequence: number;
}

/**
 * Whether a stored verdict asks for another result. One that cannot be read does not: nothing may take its place but by
 * hand, and whoever needs it fails with its error.
 */
export function isRepair(bytes: Uint8Array, subject: string): boolean {
  try {
    return decodeStored(verdictSchema, bytes, subject).kind === 'repair';
  } catch (error) {
    if (error instanceof LetheError && error.code === 'record-invalid') return false;
    throw error;
  }
}
