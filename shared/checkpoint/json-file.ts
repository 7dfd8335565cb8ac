import { LetheError } from '../error/lethe-error.ts';
import { JsonScanner } from './json-scanner.ts';
import { readTextFile } from './text-file.ts';

/** A parsed JSON object whose keys and values nobody has checked yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Bytes of a config or an index of shards. The largest index on the hub has 9 MB; configs have a few thousand. */
export const jsonFileLimit = 32 * 2 ** 20;

/** The refusal of a JSON file. `where` is the file, with line and column or key. */
export function configInvalid(where: string, why: string, cause?: unknown): LetheError {
  return new LetheError('config-invalid', {
    what: 'cannot read JSON file',
    where,
    why,
    next: 'correct the file, or fetch it again from where the checkpoint came from',
    cause,
  });
}

/** The object in JSON `text`. Throws 'config-invalid' naming `path`, line and column; duplicate keys are refused. */
export function parseJsonObject(text: string, path: string): JsonObject {
  const refuse = (why: string, offset: number): never => {
    const before = text.slice(0, offset).split('\n');
    throw configInvalid(`${path}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`, why);
  };
  const scanner = new JsonScanner(text, refuse, 'python');
  const object: Record<string, unknown> = {};
  scanner.object((key) => (object[key] = scanner.value()));
  scanner.end();
  return object;
}

/** Reads the JSON object in the file at `path`. Throws 'config-invalid' naming the file, line and column. */
export async function readJsonFile(path: string): Promise<JsonObject> {
  const refuse = (why: string, cause?: unknown, place = '') => configInvalid(`${path}${place}`, why, cause);
  return parseJsonObject(await readTextFile(path, { limit: jsonFileLimit, byteOrderMark: 'refused' }, refuse), path);
}
