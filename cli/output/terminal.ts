/** What can be shown where a stream goes. */
export interface Terminal {
  /** Undefined where lines may be of any length: a file, a pipe. */
  readonly columns: number | undefined;
  /** Whether a line can be drawn again in its place. */
  readonly redraws: boolean;
  /** Whether characters beyond ASCII are shown. */
  readonly unicode: boolean;
}

/** Columns of a terminal that does not say how many it has. */
const usualColumns = 80;

/** The terminal behind a stream. `TERM=dumb` cannot go back in a line; a locale that is not UTF-8 shows ASCII alone. */
export function terminalOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): Terminal {
  const isTerminal = stream.isTTY === true;
  const columns = stream.columns === undefined || stream.columns === 0 ? usualColumns : stream.columns;
  return {
    columns: isTerminal ? columns : undefined,
    redraws: isTerminal && environment['TERM'] !== 'dumb',
    unicode: showsUnicode(environment, platform),
  };
}

/** As setlocale reads the environment: LC_ALL before LC_CTYPE before LANG, and one that is empty counts as not set. */
function showsUnicode(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): boolean {
  const [locale] = ['LC_ALL', 'LC_CTYPE', 'LANG']
    .map((name) => environment[name] ?? '')
    .filter((value) => value !== '');
  if (locale === undefined) return platform === 'win32' || platform === 'darwin';
  return /utf-?8/i.test(locale);
}
