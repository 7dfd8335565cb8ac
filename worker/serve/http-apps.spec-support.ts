import { afterEach } from 'vitest';
import { Registry } from 'prom-client';
import { type Access, openAccess } from './access.ts';
import { type AnsweredRequest, httpApp } from './http-app.ts';
import { type HttpServer, listenHttp } from './http-server.ts';
import type { ImageAsk } from './image-request.ts';
import type { MadeImages } from './make-images.ts';
import { RequestQueue } from './request-queue.ts';
import { servingMetrics } from './serving-metrics.ts';

export const checkpoint = `sha256:${'c'.repeat(64)}`;
const model = {
  name: 'emoji-sd',
  checkpoint,
  sizes: [
    { width: 128, height: 128 },
    { width: 64, height: 128 },
  ],
} as const;
/** An image of one pixel stands for each: what makes them is not the API's affair. */
export const made = (asks: readonly ImageAsk[]): readonly MadeImages[] =>
  asks.map(({ seeds, prompt }) => ({
    version: 3,
    digest: 'd'.repeat(64),
    images: seeds.map((seed) => Uint8Array.of(Number(seed))),
    truncated: prompt.startsWith('long') ? 'the rest' : undefined,
  }));

let close: (() => Promise<void>) | undefined;
afterEach(async () => {
  await close?.();
});

interface Stage {
  readonly access?: Access;
  readonly unready?: () => string | undefined;
  readonly deadlineMs?: number;
  readonly make?: (asks: readonly ImageAsk[], signal: AbortSignal) => Promise<readonly MadeImages[]>;
}

/** The API on a port of its own. */
export async function serve({ access = openAccess, unready = () => undefined, deadlineMs = 30_000, make }: Stage = {}) {
  const registry = new Registry();
  const failures: unknown[] = [];
  const lines: AnsweredRequest[] = [];
  let stopping = false;
  const run = make ?? ((asks: readonly ImageAsk[]) => Promise.resolve(made(asks)));
  const queue = new RequestQueue({ waiting: 2, batch: 4, gatherMs: 0 }, run, servingMetrics(registry));
  const app = httpApp({
    model,
    queue,
    access,
    deadlineMs,
    unready,
    since: 1,
    failed: (error) => failures.push(error),
    registry,
    isStopping: () => stopping,
    answered: (line) => lines.push(line),
  });
  const server: HttpServer = await listenHttp(app, '127.0.0.1', 0, undefined);
  const post = (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(`${server.url}/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const stop = async (): Promise<void> => {
    stopping = true;
    await queue.drain();
    await server.close();
    close = undefined;
  };
  close = stop;
  return { url: server.url, post, failures, lines, stop };
}

interface Failure {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}
export const failureOf = async (response: Response): Promise<Failure['error']> =>
  ((await response.json()) as Failure).error;

/** Resolved from outside. */
export function gate<T>() {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
