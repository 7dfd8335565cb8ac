import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { cleanText } from '../../shared/model/tokenizer/clean-text.ts';
import { type ApiError, badRequest } from './api-error.ts';
import type { Ask } from './request-queue.ts';

/** Of an image, in pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** What the API tells of the model it serves. */
export interface ServedModel {
  /** What requests call it. */
  readonly name: string;
  /** Id of the checkpoint; requests may use it too. */
  readonly checkpoint: string;
  /** Those that may be asked for; the first unless a request names one. */
  readonly sizes: readonly [ImageSize, ...ImageSize[]];
}

/** A request for images of one prompt, one a seed. */
export interface ImageAsk extends Ask {
  readonly prompt: string;
  readonly seeds: readonly bigint[];
  readonly size: ImageSize;
}

export type ParsedRequest =
  { readonly kind: 'ask'; readonly ask: ImageAsk } | { readonly kind: 'refused'; readonly error: ApiError };

/** As many as the OpenAI API makes at once. */
const mostImages = 10;
/** UTF-16 code units, as with the OpenAI API. The text encoder reads far fewer, and the answer says what it left out. */
const longestPrompt = 32_000;
/** Seeds are JSON numbers: beyond this two of them may be one. */
const largestSeed = Number.MAX_SAFE_INTEGER;

/** A message for a value, whatever is wrong with it. */
const says = (message: string): { readonly message: string } => ({ message });

const wanted = {
  n: says(`it is a whole number from 1 to ${mostImages}`),
  seed: says(`it is a whole number from 0 to ${largestSeed}`),
} as const;

/**
 * Every parameter of the OpenAI images API, and `seed`. `user` is taken and not used. What would change the picture and is
 * not done here is refused, unless it has the value that stands for what is done.
 */
const schema = z.strictObject({
  prompt: z
    .string(says('it has to be there, and to be text'))
    .min(1, { message: 'it is empty: say what the picture is to show', abort: true })
    .max(longestPrompt, { message: `it is longer than ${longestPrompt} characters`, abort: true })
    .refine((text) => !/\p{Surrogate}/u.test(text), { message: 'it holds half of a surrogate pair' })
    .superRefine((text, context) => {
      const message = tokenizerFault(text);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    }),
  model: z.string(says('it has to be text')).nullish(),
  n: z.int(wanted.n).min(1, wanted.n).max(mostImages, wanted.n).nullish(),
  size: z.string(says('it has to be text')).nullish(),
  seed: z.int(wanted.seed).min(0, wanted.seed).max(largestSeed, wanted.seed).nullish(),
  response_format: z
    .literal('b64_json', {
      message:
        'images are kept nowhere, so there are no URLs of them: the one value is "b64_json", which is the default',
    })
    .nullish(),
  output_format: z.literal('png', { message: 'the one value is "png"' }).nullish(),
  quality: z.enum(['auto', 'standard'], { message: 'there is one quality: leave it out' }).nullish(),
  style: z.null({ message: 'say it in the prompt: there are no styles to choose from' }).optional(),
  background: z.enum(['auto', 'opaque'], { message: 'images are opaque: leave it out' }).nullish(),
  stream: z.literal(false, { message: 'images are answered when they are finished: leave it out' }).nullish(),
  partial_images: z.literal(0, { message: 'images are answered when they are finished: leave it out' }).nullish(),
  output_compression: z.literal(100, { message: 'PNG loses nothing: the one value is 100' }).nullish(),
  moderation: z.enum(['auto', 'low'], { message: 'it is "auto" or "low", and neither changes anything' }).nullish(),
  user: z.string(says('it has to be text')).nullish(),
});

/** @param body as JSON.parse gives it. Messages never quote what was asked for. */
export function parseImageRequest(body: unknown, model: ServedModel): ParsedRequest {
  const refused = (error: ApiError): ParsedRequest => ({ kind: 'refused', error });
  const { data, error } = schema.safeParse(body);
  if (data === undefined) return refused(problemOf(error));
  if (data.model != null && data.model !== model.name && data.model !== model.checkpoint)
    return refused({
      status: 404,
      code: 'model_not_found',
      message: `There is no such model here; the one that is served is "${model.name}".`,
      param: 'model',
    });
  const known = model.sizes.map(({ width, height }) => `${width}x${height}`);
  const named = data.size == null || data.size === 'auto' ? known[0] : data.size;
  const size = model.sizes[known.indexOf(named ?? '')];
  if (size === undefined)
    return refused(badRequest('invalid_value', `size: it is one of ${known.join(', ')} and auto.`, 'size'));
  const images = data.n ?? 1;
  const first = BigInt(data.seed ?? randomInt(2 ** 47));
  if (first + BigInt(images) - 1n > BigInt(largestSeed))
    return refused(badRequest('invalid_value', `seed: that of the last image is beyond ${largestSeed}.`, 'seed'));
  const seeds = Array.from({ length: images }, (_, i) => first + BigInt(i));
  return { kind: 'ask', ask: { prompt: data.prompt, seeds, size, images, key: `${size.width}x${size.height}` } };
}

/** Why the tokenizer refuses a prompt. Found here: in a batch it would be the failure of all that are made together. */
function tokenizerFault(prompt: string): string | undefined {
  try {
    cleanText(prompt);
    return undefined;
  } catch (error) {
    if (error instanceof LetheError) return error.why;
    throw error;
  }
}

function problemOf(error: z.ZodError): ApiError {
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys') {
    // Names, too, come from outside.
    const [name = ''] = issue.keys;
    const shown = /^\w{1,64}$/.test(name) ? name : 'one of them';
    return badRequest('unknown_parameter', `Unknown parameter: ${shown}.`, shown);
  }
  const param = issue?.path.join('.') ?? '';
  if (param === '') return badRequest('invalid_type', 'The body has to be a JSON object.');
  const code = issue?.code === 'invalid_type' ? 'invalid_type' : 'invalid_value';
  return badRequest(code, `${param}: ${issue?.message ?? 'it cannot be used'}.`, param);
}
