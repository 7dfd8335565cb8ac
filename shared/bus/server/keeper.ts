/**
 * A process of its own between the launcher and nats-server. When the launcher ends, however it ends (kill -9 too), the
 * system closes the channel to it, and the keeper stops the server: Linux alone could do that by itself (pdeathsig), and
 * Node offers no access to it. Both run outside the launcher's process group, so a Ctrl-C reaches the launcher only,
 * which stops the server last.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { lockFolder, noteProcess, unlockFolder } from '../../lock/folder-lock.ts';
import { prepareFolder, tokenOf, writeSecret, writtenPort } from './data-folder.ts';
import type { KeeperReport } from './keeper-report.ts';
import { serverConfig } from './server-config.ts';

const [binary = '', folder = '', port = '-1'] = process.argv.slice(2);
const pollMs = 10;

function report(message: KeeperReport): Promise<void> {
  return new Promise((resolve) => {
    // The launcher may be gone; the server is stopped then anyway.
    if (process.send === undefined || !process.connected) resolve();
    else
      process.send(message, () => {
        resolve();
      });
  });
}

async function keep(): Promise<void> {
  await prepareFolder(folder);
  const token = await tokenOf(folder);
  const config = join(folder, 'nats-server.conf');
  await writeSecret(config, serverConfig({ folder, port: Number(port), token, name: `lethe-${randomUUID()}` }));
  const server = spawn(binary, ['--config', config], { stdio: 'ignore' });
  const ended = new Promise<KeeperReport>((resolve) => {
    server.on('error', ({ message }) => {
      resolve({ kind: 'failed', why: message });
    });
    server.on('exit', (code, signal) => {
      resolve({ kind: 'ended', code, signal });
    });
  });
  const over = new AbortController();
  const stop = () => server.kill('SIGTERM');
  for (const event of ['disconnect', 'message', 'SIGTERM', 'SIGINT', 'SIGHUP']) process.on(event, stop);
  if (!process.connected) stop();
  const { pid } = server;
  if (pid !== undefined) {
    await noteProcess(folder, pid);
    void announce(pid, token, over.signal);
  }
  const end = await ended;
  over.abort();
  await report(end);
}

/** The server writes its port to a file once it listens. */
async function announce(pid: number, token: string, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const found = await writtenPort(folder);
    if (found !== undefined) return report({ kind: 'listening', pid, port: found, token });
    await after(pollMs);
  }
}

try {
  await lockFolder(folder);
  await keep().finally(() => unlockFolder(folder));
} catch (cause) {
  await report({ kind: 'failed', why: cause instanceof Error ? cause.message : String(cause) });
}
process.exit();
