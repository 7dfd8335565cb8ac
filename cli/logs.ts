import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { Command } from 'commander';
import { LetheError } from '../shared/error/lethe-error.ts';
import { dataOption, fleetSettings } from './fleet/fleet-settings.ts';
import { stopSignals } from './launcher/stop-signals.ts';
import { escaped } from './output/escape.ts';
import { lineOf } from './output/log-lines.ts';
import { print, printJson } from './output/print.ts';

interface LogsOptions {
  readonly data?: string;
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** Milliseconds between two looks of --follow. */
const followMs = 200;
/** Bytes of a log that are read from its end. */
const shownBytes = 256 * 1024;

export function logsCommand(): Command {
  return new Command('logs')
    .argument('[process]', 'one of them: coordinator, worker-1, …; up, what a detached launcher has said')
    .option('-f, --follow', 'go on with what they say, until Ctrl-C')
    .addOption(dataOption())
    .option('--json', 'print each line as it was written, with the name of its process')
    .addHelpText('after', '\nOf each log the last 256 KiB are shown.\n\nExample:\n  $ lethe logs -f worker-1')
    .action(async (process: string | undefined, given: LogsOptions) => {
      const { data } = await fleetSettings(given);
      const folder = join(data, 'log');
      const names = await logNames(folder, process);
      const tails = await Promise.all(names.map((name) => LogTail.open(folder, name)));
      const signal = given.follow === true ? stopSignals().signal : AbortSignal.abort();
      try {
        do {
          for (const tail of tails)
            for (const line of await tail.lines()) show(tail.name, line, given, names.length > 1);
          await after(followMs, undefined, { signal }).catch(() => undefined);
        } while (!signal.aborted);
      } finally {
        await Promise.all(tails.map((tail) => tail.close()));
      }
    });
}

function show(name: string, line: string, { json }: LogsOptions, several: boolean): void {
  if (json === true) printJson({ process: name, line: parsed(line) });
  else print(`${several ? `${escaped(name)}  ` : ''}${lineOf(line)}`);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

/** What a log has from its end on, a line at a time; one that is not complete yet is kept. */
class LogTail {
  readonly name: string;
  readonly #file: FileHandle;
  #at: number;
  #rest = Buffer.alloc(0);

  private constructor(name: string, file: FileHandle, at: number) {
    this.name = name;
    this.#file = file;
    this.#at = at;
  }

  static async open(folder: string, name: string): Promise<LogTail> {
    const file = await open(join(folder, `${name}.log`), 'r');
    const tail = new LogTail(name, file, Math.max(0, (await file.stat()).size - shownBytes));
    // Cut in the middle, the first line would be half a one.
    if (tail.#at > 0) tail.#skip = true;
    return tail;
  }

  #skip = false;

  async lines(): Promise<readonly string[]> {
    const buffer = Buffer.alloc(shownBytes);
    const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, this.#at);
    this.#at += bytesRead;
    const text = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
    const end = text.lastIndexOf(10) + 1;
    this.#rest = text.subarray(end);
    const lines = text.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
    if (this.#skip && lines.length > 0) {
      lines.shift();
      this.#skip = false;
    }
    return lines.filter((line) => line.trim() !== '');
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function logNames(folder: string, wanted: string | undefined): Promise<readonly string[]> {
  const files = await readdir(folder).catch(() => []);
  const names = files.filter((file) => file.endsWith('.log')).map((file) => file.slice(0, -'.log'.length));
  const found = wanted === undefined ? names.toSorted() : names.filter((name) => name === wanted);
  if (found.length > 0) return found;
  throw new LetheError('usage', {
    what: wanted === undefined ? 'there is no log' : `there is no log of ${wanted}`,
    where: folder,
    why: names.length === 0 ? 'no fleet has run there' : `there are those of ${names.toSorted().join(', ')}`,
    next: names.length === 0 ? 'give the folder of the fleet with --data' : 'name one of them, or none for all',
  });
}
