import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How the start of a launcher that runs on by itself came out. */
export type DetachedStart =
  /** The fleet is ready; what its launcher printed. */
  | { readonly kind: 'ready'; readonly result: string }
  /** It ended. @see told its words */
  | { readonly kind: 'ended'; readonly code: number; readonly result: string; readonly told: string };

/**
 * Starts `lethe up --json` in a session of its own, its words in the data folder's log, and waits until it is ready or has ended.
 *
 * @param args of `up`
 * @param stop ends the start
 */
export async function startDetached(data: string, args: readonly string[], stop: AbortSignal): Promise<DetachedStart> {
  const logs = join(data, 'log');
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const log = await open(join(logs, 'up.log'), 'a', 0o600);
  const from = (await log.stat()).size;
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const child = spawn(process.execPath, [main, 'up', ...args, '--json'], {
    detached: true,
    stdio: ['ignore', 'pipe', log.fd],
  });
  await log.close();
  const end = (): void => void child.kill('SIGTERM');
  stop.addEventListener('abort', end);
  const closed = once(child, 'close') as Promise<[number | null]>;
  const { ready, text } = await firstLine(child, closed);
  stop.removeEventListener('abort', end);
  if (ready) {
    child.stdout?.destroy();
    child.unref();
    return { kind: 'ready', result: text };
  }
  const [code] = await closed;
  const told = (await readFile(join(logs, 'up.log'))).subarray(from).toString('utf8').trimEnd();
  return { kind: 'ended', code: code ?? 1, result: text, told };
}

/** What it prints first. A failure is printed too, but then it ends by itself, and `pid` is not in it. */
function firstLine(
  child: ChildProcess,
  closed: Promise<unknown>,
): Promise<{ readonly ready: boolean; readonly text: string }> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (/^\{.*"pid":\d+.*\}\n/.test(text)) resolve({ ready: true, text });
    });
    closed.then(() => {
      resolve({ ready: false, text });
    }, reject);
  });
}
