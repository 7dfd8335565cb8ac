import { z } from 'zod';
import { LetheError } from '../../../shared/error/lethe-error.ts';

/**
 * Where a TorchGenerator stands: small, immutable, the same after JSON and back, so that a trajectory can go on in
 * another process.
 */
export interface GeneratorState {
  /** The seed in decimal, 0 to 2⁶⁴ - 1 (torch's `initial_seed()`). */
  readonly seed: string;
  /** How many 32-bit words have been drawn since seeding. */
  readonly words: number;
  /** The second half of the last pair of single draws, if it has not been used. */
  readonly nextNormal: number | null;
}

/**
 * The most words that one generator gives: 16 times what 1000 steps of an ancestral sampler take for SDXL's latents.
 * The bound makes every state restorable in a few seconds, whoever wrote it.
 */
export const maxWords = 2 ** 30;

/** Above √(-2 ln 2⁻⁵³), the largest radius that a uniform of 53 bits gives. */
const maxNormal = 8.58;
/** A pair of single draws takes two uniforms of two words each. */
const wordsPerPair = 4;

const schema = z
  .strictObject({
    seed: z
      .string()
      .regex(/^(0|[1-9]\d{0,19})$/, { error: 'not a decimal integer', abort: true })
      .refine((seed) => BigInt(seed) < 2n ** 64n, 'above 2^64 - 1'),
    words: z.int().min(0).max(maxWords),
    nextNormal: z.number().min(-maxNormal).max(maxNormal).nullable(),
  })
  .refine(({ words, nextNormal }) => nextNormal === null || words >= wordsPerPair, {
    path: ['nextNormal'],
    error: 'a second normal number without the words it was made of',
  });

/**
 * A copy of `state`, checked.
 * @throws LetheError `trajectory-invalid` naming what is wrong, where `state` is not one that a generator can be in
 */
export function checkGeneratorState(state: unknown): GeneratorState {
  const { success, data, error } = schema.safeParse(state);
  if (success) return data;
  const places = new Set(error.issues.map(({ path }) => ['state', ...path].join('.')));
  throw new LetheError('trajectory-invalid', {
    what: 'cannot restore the noise generator',
    where: [...places].join(', '),
    why: error.issues.map(({ message }) => message).join('; '),
    next: 'run the trajectory from its start; if the state was stored, its store is damaged',
    cause: error,
  });
}
