import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { LetheError } from '../error/lethe-error.ts';
import type { Patience } from './bus.ts';
import type { Bus } from './bus.ts';
import { connectBus } from './connect.ts';
import { ensureStreams } from './ensure-streams.ts';
import { type NatsBinary, findNatsServer } from './server/find-nats-server.ts';
import { type RunningServer, runNatsServer } from './server/run-nats-server.ts';

/** A nats-server for the specs of one file, on a folder of its own. */
export interface TestServer {
  readonly binary: NatsBinary;
  readonly folder: string;
  readonly running: RunningServer;
  /** A connection that is closed after the file's specs. */
  connect(patience?: Patience): Promise<Bus>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
}

/** A nats-server to run, or why none can be had. @throws LetheError `nats-server-untrusted` */
async function natsBinary(): Promise<NatsBinary | string> {
  try {
    return await findNatsServer(process.env, () => undefined);
  } catch (cause) {
    if (cause instanceof LetheError && cause.code === 'nats-server-missing') return cause.why;
    throw cause;
  }
}

/** `describe` for what starts nats-server itself. Where none can be had its specs are skipped, and the title says why. */
export async function describeWithNats(title: string, specs: (binary: NatsBinary) => void): Promise<void> {
  const binary = await natsBinary();
  if (typeof binary === 'string') skip(title, binary);
  else
    describe(title, () => {
      specs(binary);
    });
}

/** vitest takes an empty suite for a mistake, so what is skipped has a spec. */
function skip(title: string, why: string): void {
  describe.skip(`${title} (skipped: ${why})`, () => {
    it('needs nats-server');
  });
}

/** `describeWithNats` for what needs a server: the specs get one that runs, with the streams set up. */
export async function describeWithServer(title: string, specs: (server: TestServer) => void): Promise<void> {
  const binary = await natsBinary();
  if (typeof binary === 'string') {
    skip(title, binary);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'lethe-nats-'));
  let running = await runNatsServer(binary, folder);
  const open: Bus[] = [];
  const server: TestServer = {
    binary,
    folder,
    get running() {
      return running;
    },
    connect: async (patience) => {
      const bus = await connectBus(running.address('spec'), patience);
      open.push(bus);
      return bus;
    },
    kill: async () => {
      process.kill(running.pid, 'SIGKILL');
      await running.ended;
    },
    restart: async () => {
      running = await runNatsServer(binary, folder, running.port);
    },
  };
  await ensureStreams(await server.connect(), 1);
  describe(title, () => {
    afterAll(async () => {
      await Promise.all(open.map((bus) => bus.close()));
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    });
    specs(server);
  });
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (content: Uint8Array | undefined): string | undefined =>
  content === undefined ? undefined : new TextDecoder().decode(content);
