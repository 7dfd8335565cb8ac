import { keyText, linesOf, type Path } from '../../shared/config/problem.ts';
import { readYaml } from '../../shared/config/yaml-file.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';

/** Does something with a campaign; failures that are of a setting say where in its file that stands. */
export type InCampaign = <T>(work: () => T | Promise<T>) => Promise<T>;

/**
 * @param text of the campaign
 * @param source its path, for messages
 */
export function inCampaign(text: string, source: string): InCampaign {
  return async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LetheError) || error.setting === undefined) throw error;
      throw placed(error, error.setting, text, source);
    }
  };
}

/** The error, its place being `file:line:column key`, and after that the file that the setting has led to, if there is one. */
function placed(error: LetheError, setting: Path, text: string, source: string): LetheError {
  const file = readYaml(text);
  const path = writtenPath(setting, file.value);
  const { line, column } = linesOf(text)(file.offsetOf(path));
  const before = `${keyText(setting)}: `;
  const rest = error.where?.startsWith(before) === true ? `: ${error.where.slice(before.length)}` : '';
  return error.at(`${source}:${line}:${column} ${keyText(path)}${rest}`);
}

/** Where a setting is written: concepts are known by their names, and a section that is absent is another one's. */
function writtenPath(setting: Path, root: unknown): Path {
  const candidates = inherited(setting).map((path) => numbered(path, root));
  return candidates.find((path) => isThere(path, root)) ?? candidates[0] ?? [];
}

/** The paths under which a setting may be written, the first that is there counts. */
function inherited([first, second, ...rest]: Path): readonly Path[] {
  const own = [first, second, ...rest].filter((step) => step !== undefined);
  if (first === 'tune' && second === 'sampling') return [own, ...inherited(['verify', 'sampling', ...rest])];
  if (first === 'verify' && second === 'sampling') return [own, ['sampling', ...rest]];
  // The sections of a concept are about what the campaign's own are about.
  if (first === 'concepts' && (rest[0] === 'mask' || rest[0] === 'verify')) return [own, rest];
  return [own];
}

function numbered(path: Path, root: unknown): Path {
  const [first, name, ...rest] = path;
  const concepts = first === 'concepts' ? memberOf(root, 'concepts') : undefined;
  if (!Array.isArray(concepts) || typeof name !== 'string') return path;
  const index = (concepts as readonly unknown[]).findIndex((concept) => memberOf(concept, 'name') === name);
  return index < 0 ? ['concepts'] : ['concepts', index, ...rest];
}

function isThere(path: Path, root: unknown): boolean {
  return path.reduce<unknown>((value, step) => memberOf(value, step), root) !== undefined;
}

function memberOf(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
