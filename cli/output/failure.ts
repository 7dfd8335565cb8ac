import { LetheError } from '../../shared/error/lethe-error.ts';
import { escaped } from './escape.ts';

/** Exit codes of every command; 130 is what a shell reports for one that Ctrl-C ended. */
export const exitCodes = { done: 0, failed: 1, badInput: 2, interrupted: 130 } as const;

/** What is told of an error: the one shape for people and for machines. */
export interface FailureReport {
  readonly exitCode: number;
  /** Several lines for a terminal or a log. */
  readonly text: string;
  /** The same for `--json`. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** An error that is no LetheError is a defect of Lethe: it is shown with its stack. */
export function reportFailure(error: unknown): FailureReport {
  if (!(error instanceof LetheError)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const next = 'this is a defect of Lethe: please report it with the command and the lines above';
    return {
      exitCode: exitCodes.failed,
      text: `error: ${indented(detail)}\n  what to do: ${next}`,
      json: { error: { code: 'internal', what: 'unexpected error', why: detail, next } },
    };
  }
  const { code, what, where, why, next } = error;
  const lines = [
    `error: ${escaped(what)} [${escaped(code)}]`,
    ...(where === undefined ? [] : [`  where: ${escaped(where)}`]),
    // What is wrong with a file has a line for each of its lines; what has failed elsewhere is told in one.
    `  why: ${error.isInput ? indented(why) : escaped(why)}`,
    `  what to do: ${indented(next)}`,
  ];
  return {
    exitCode: error.isInput ? exitCodes.badInput : exitCodes.failed,
    text: lines.join('\n'),
    json: { error: { code, what, where, why, next } },
  };
}

/** Lines of which none but the first can be taken for one of ours. */
const indented = (text: string): string => text.split('\n').map(escaped).join('\n    ');
