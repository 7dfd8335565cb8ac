import { Writable } from 'node:stream';
import { escaped } from './escape.ts';
import { printTo } from './print.ts';

/** Of a line of pino's that are shown in their own place, or not at all. */
const known: readonly string[] = ['level', 'time', 'pid', 'hostname', 'msg'];

/** Pino's levels that deserve a word. */
const words: Readonly<Record<number, string>> = { 40: 'warning: ', 50: 'error: ', 60: 'error: ' };

/** JSON lines of a log as lines for people: `12:34:56 listening url=http://127.0.0.1:8080`. */
export function logLines(output: NodeJS.WritableStream): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string, _, done) {
      for (const line of chunk.split('\n')) if (line !== '') printTo(output, lineOf(line));
      done();
    },
  });
}

/** A line of a log for people. What is no JSON of pino's, such as a stack, stays as it is. */
export function lineOf(json: string): string {
  const entry = entryOf(json);
  if (entry === undefined) return escaped(json);
  const { time, level, msg } = entry as { readonly time: number; readonly level: number; readonly msg?: string };
  const fields = Object.entries(entry).filter(([name]) => !known.includes(name));
  const shown = fields.map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return escaped(`${new Date(time).toTimeString().slice(0, 8)} ${words[level] ?? ''}${msg ?? ''}${shown.join('')}`);
}

function entryOf(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const entry: unknown = JSON.parse(json);
    return typeof entry === 'object' && entry !== null && 'time' in entry ? { ...entry } : undefined;
  } catch {
    return undefined;
  }
}
