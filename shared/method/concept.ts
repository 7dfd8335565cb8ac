import { LetheError } from '../error/lethe-error.ts';
import type { TrajectoryKey } from '../unit/unit.ts';

/**
 * What a concept is, in the order in which help and messages list the kinds: it decides what `verify` measures. Gender is
 * sampled from a seed for every pair, the others differ in their prompts alone.
 */
export const conceptKinds = ['style', 'object', 'explicit', 'identity', 'gender', 'memorised'] as const;

/** One of `conceptKinds`. */
export type ConceptKind = (typeof conceptKinds)[number];

/** What is to be found: prompts with the concept, each paired with one without. */
export interface Concept {
  readonly name: string;
  readonly kind: ConceptKind;
  readonly target: readonly string[];
  /** As many as `target`. */
  readonly base: readonly string[];
  /** Decimal, one a pair: both prompts of a pair are sampled from it. Kind gender asks for them; otherwise 0 by default. */
  readonly seeds?: readonly string[];
  /** Prompts of what must stay; empty or absent if there are none. Sampled from seed 0. */
  readonly retain?: readonly string[];
}

/** The cohorts of a concept. */
export interface ConceptCohorts {
  readonly target: readonly TrajectoryKey[];
  readonly base: readonly TrajectoryKey[];
  readonly retain: readonly TrajectoryKey[];
}

const defaultSeed = '0';

/** Seeds are unsigned and have 64 bits, as torch's generator takes them. */
const seedLimit = 2n ** 64n;

/**
 * Prompts with their seeds, as the reference samples them: seed 0 for every prompt; for kind gender, where the base is the
 * same prompt with another gender, a seed for each pair, so that the two differ in nothing else.
 *
 * @throws LetheError `method-invalid` for pairs that do not match up and seeds that are missing or none.
 */
export function cohortsOf(concept: Concept): ConceptCohorts {
  const { name, kind, target, base, seeds, retain = [] } = concept;
  if (target.length === 0 || target.length !== base.length)
    throw invalid(
      name,
      `${target.length} target prompts and ${base.length} base prompts are not pairs`,
      'pair every target prompt with a base prompt',
    );
  if (kind === 'gender' && seeds === undefined)
    throw invalid(name, 'kind gender has no seeds', 'give one seed for each pair');
  if (seeds !== undefined && seeds.length !== target.length)
    throw invalid(name, `${seeds.length} seeds for ${target.length} pairs`, 'give one seed for each pair');
  const wrong = seeds?.find((seed) => !/^(0|[1-9]\d{0,19})$/.test(seed) || BigInt(seed) >= seedLimit);
  if (wrong !== undefined)
    throw invalid(name, `${JSON.stringify(wrong)} is no seed`, 'give whole numbers from 0 to 2^64 - 1');
  const paired = (prompts: readonly string[]) =>
    prompts.map((prompt, i) => ({ prompt, seed: seeds?.[i] ?? defaultSeed }));
  return {
    target: paired(target),
    base: paired(base),
    retain: retain.map((prompt) => ({ prompt, seed: defaultSeed })),
  };
}

function invalid(name: string, why: string, next: string): LetheError {
  return new LetheError('method-invalid', { what: 'cannot sample the concept', where: `concept ${name}`, why, next });
}
