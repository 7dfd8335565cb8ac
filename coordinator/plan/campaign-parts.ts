import { z } from 'zod';
import { headsOf, isTemplate } from '../../shared/verification/prompt-template.ts';
import { schedulerNames } from '../../shared/model/scheduler-name.ts';

/** Parts that several sections of a campaign file have. */

export const name = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{C}\s]([^\p{C}]*[^\p{C}\s])?$/u, 'a name has no spaces around it and no control characters');

export const prompt = z.string().max(10_000).regex(/^$|\S/, 'the prompt is blank; the empty prompt is ""');

/** A prompt that counts several times. */
const countedPrompt = z.strictObject({ prompt, count: z.int().min(1).max(100_000) });

/** What stands in the places of a text, each by its name. */
const word = z.string().max(200).regex(/\S/, 'the word is blank');
const everyPrompt = z
  .strictObject({
    each: prompt.refine(isTemplate, 'a brace has no other: a place is {style}, or {a object} with its article'),
    of: z.record(
      z.string().regex(/^[^{}\s]+$/, 'the name of a place has no spaces and no braces'),
      z.array(word).min(1),
    ),
  })
  .superRefine(({ each, of }, context) => {
    const places = headsOf(each);
    const problem = (path: string[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    if (places.length === 0 && isTemplate(each))
      problem(['each'], 'it has no place such as {style}: write the prompt itself');
    for (const place of places)
      if (!Object.hasOwn(of, place)) problem(['of'], `there is no list for the place {${place}}`);
    for (const name of Object.keys(of))
      if (places.length > 0 && !places.includes(name)) problem(['of', name], `the text has no place {${name}}`);
  });

/** A prompt, one that counts several times, or every prompt that a text and the words of its places make. */
export const promptEntry = z.union([prompt, countedPrompt, everyPrompt]);

/** Prompts, or the name of a list under `prompts`. */
export const promptSource = z.union([z.string(), z.array(promptEntry).min(1)]);

/** What torch.Generator.manual_seed accepts. */
const least = -(2n ** 63n);
const most = 2n ** 64n - 1n;
const isSeed = (value: unknown): value is number | bigint =>
  (typeof value === 'bigint' || Number.isSafeInteger(value)) &&
  (value as number | bigint) >= least &&
  (value as number | bigint) <= most;
const given = z.custom<number | bigint>(isSeed, 'a seed is a whole number from -2^63 to 2^64 - 1');

/** Negative ones are counted from 2^64, as torch does: a trajectory has one name, and units know no others. */
export const seed = given.transform((value) => String(BigInt.asUintN(64, BigInt(value))));

/** The first of seeds that are counted up. */
export const firstSeed = given
  .refine((value) => value >= 0, 'the first seed is 0 or more')
  .transform((value) => String(BigInt(value)));

const side = z.int().min(8).max(16_384);

/** Of the image: a side, `512x768` (width first), or both by name. */
const size = z
  .union([
    side,
    z.string().regex(/^[1-9]\d{0,4}x[1-9]\d{0,4}$/, 'a size is WIDTHxHEIGHT in pixels, such as 512x512'),
    z.strictObject({ width: side, height: side }),
  ])
  .transform((value) => {
    if (typeof value === 'number') return { width: value, height: value };
    if (typeof value !== 'string') return value;
    const [width = 0, height = 0] = value.split('x').map(Number);
    return { width, height };
  });

/** How images are sampled; the size is left to the checkpoint. */
export const sampling = z.strictObject({
  scheduler: z.enum(schedulerNames).optional(),
  steps: z.int().min(1).max(1000).default(50),
  guidance: z.number().min(0).max(1000).default(7.5),
  size: size.optional(),
});
