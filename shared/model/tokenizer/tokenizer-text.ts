import type { z } from 'zod';
import { readTextFile } from '../../checkpoint/text-file.ts';
import { LetheError } from '../../error/lethe-error.ts';

/** CLIP's vocabulary takes 1 MB, its tokenizer.json 2 to 4 MB; no file of a tokenizer is near this. */
const maxBytes = 32 * 2 ** 20;

/** A 'tokenizer-invalid' error about one place (`key`, or a line) of one file or folder. */
export function tokenizerInvalid(path: string, key: string, why: string, cause?: unknown): LetheError {
  return new LetheError('tokenizer-invalid', {
    what: 'cannot read the tokenizer',
    where: key === '' ? path : `${path}: ${key}`,
    why,
    next: 'fetch the tokenizer files of the checkpoint again, or correct this one',
    cause,
  });
}

/** A 'config-unsupported' error about a setting that would change ids in a way Lethe does not do. */
export function tokenizerUnsupported(path: string, key: string, why: string): LetheError {
  return new LetheError('config-unsupported', {
    what: 'cannot tokenize as this file asks',
    where: `${path}: ${key}`,
    why,
    next: 'use a checkpoint with a CLIP tokenizer, or report this one if diffusers loads it',
  });
}

/**
 * The text of one tokenizer file, strictly UTF-8.
 *
 * Throws 'tokenizer-invalid' if it is missing, not a regular file, larger than 32 MiB or not UTF-8.
 */
export async function readTokenizerText(path: string): Promise<string> {
  const refuse = (why: string, cause?: unknown, place = '') => tokenizerInvalid(`${path}${place}`, '', why, cause);
  return readTextFile(path, { limit: maxBytes, byteOrderMark: 'refused' }, refuse);
}

/**
 * One tokenizer file as JSON that fits `schema`.
 *
 * Throws 'tokenizer-invalid' naming the first key that does not fit.
 */
export async function readTokenizerJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readTokenizerText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw tokenizerInvalid(path, '', `is not JSON: ${cause instanceof Error ? cause.message : ''}`, cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw tokenizerInvalid(path, issue?.path.join('.') ?? '', issue?.message ?? 'has another shape than expected');
}
