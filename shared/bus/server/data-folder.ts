import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { portsFolder } from './server-config.ts';

/** Makes the folder, for its owner only, and removes what an earlier server left about its ports. */
export async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await rm(join(folder, portsFolder), { recursive: true, force: true });
  await mkdir(join(folder, portsFolder), { mode: 0o700 });
}

/** The token of this folder's server: made once, so that clients outlive a restart. */
export async function tokenOf(folder: string): Promise<string> {
  const path = join(folder, 'token');
  const fresh = join(folder, `token.${process.pid}`);
  await writeSecret(fresh, randomBytes(32).toString('hex'));
  // Fails where there is one already; never leaves half of one.
  await link(fresh, path).catch(() => undefined);
  await rm(fresh, { force: true });
  return readFile(path, 'utf8');
}

/** Writes a file that only its owner reads, also where it was there with other rights. */
export async function writeSecret(path: string, text: string): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, text, { mode: 0o600 });
  await chmod(path, 0o600);
}

/** The port that the server wrote down; undefined as long as it has not. */
export async function writtenPort(folder: string): Promise<number | undefined> {
  for (const name of await readdir(join(folder, portsFolder))) {
    const text = await readFile(join(folder, portsFolder, name), 'utf8').catch(() => '');
    const port = /"nats":\s*\[\s*"nats:\/\/[^"]*:(\d+)"/.exec(text)?.[1];
    if (port !== undefined) return Number(port);
  }
  return undefined;
}
