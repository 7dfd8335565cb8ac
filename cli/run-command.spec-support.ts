import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

/** The built command, from the root of the repository, where specs run. */
export const mainFile = join('dist', 'cli', 'main.js');

export interface Ended {
  /** null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Environment without settings of whoever runs the specs. */
export function cleanEnvironment(changes: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LETHE_'));
  return { ...Object.fromEntries(inherited), ...changes };
}

/** Waits for the end of a process and collects what it says. */
export async function ended(child: ChildProcess): Promise<Ended> {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, ...text });
    });
  });
}

/** Runs `lethe` with these arguments. */
export async function lethe(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return ended(spawn(process.execPath, [mainFile, ...args], { env: cleanEnvironment(environment) }));
}
