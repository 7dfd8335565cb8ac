import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LetheError } from '../error/lethe-error.ts';

/** What a refusal tells of a directory at most. */
const namesShown = 20;

/** A directory and the names in it, sorted. */
export interface Listing {
  readonly directory: string;
  readonly names: readonly string[];
}

/** The refusal of a directory that is not laid out as a diffusers checkpoint. */
export function checkpointLayout(where: string, why: string, next?: string, cause?: unknown): LetheError {
  return new LetheError('checkpoint-layout', {
    what: 'cannot open checkpoint',
    where,
    why,
    next:
      next ??
      'name a directory as diffusers saves it: model_index.json, unet/, text_encoder/, tokenizer/, vae/, scheduler/',
    cause,
  });
}

/** Lists `directory`, which is `wanted` by the layout. Throws 'checkpoint-layout' if there is no such directory. */
export async function listDirectory(directory: string, wanted: string): Promise<Listing> {
  try {
    return { directory, names: (await readdir(directory)).sort() };
  } catch (cause) {
    throw checkpointLayout(directory, `${wanted} cannot be listed: ${reason(cause)}`, undefined, cause);
  }
}

/** The path of the file `name`; refused with what is there instead if it is not. */
export function requiredFile(listing: Listing, name: string): string {
  if (!listing.names.includes(name))
    throw checkpointLayout(listing.directory, `there is no ${name}; ${contents(listing)}`);
  return join(listing.directory, name);
}

/** The path of the file `name` if it is there. */
export function optionalFile(listing: Listing, name: string): string | undefined {
  return listing.names.includes(name) ? join(listing.directory, name) : undefined;
}

/** The real path of a file that is listed: a snapshot of a hub cache holds links, and their targets may be missing. */
export async function realFile(path: string): Promise<string> {
  try {
    const real = await realpath(path);
    if ((await stat(real)).isFile()) return real;
  } catch (cause) {
    const next = 'if it is a link of a hub cache, the download was not finished: run it again';
    throw checkpointLayout(path, `it cannot be reached: ${reason(cause)}`, next, cause);
  }
  throw checkpointLayout(path, 'it is not a regular file');
}

/** What is in a directory, for a message. */
export function contents({ names }: Listing): string {
  if (names.length === 0) return 'the directory is empty';
  const more = names.length > namesShown ? ` and ${names.length - namesShown} more` : '';
  return `there is ${names.slice(0, namesShown).join(', ')}${more}`;
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
