import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Registry } from 'prom-client';
import { type Access, bearerAccess, openAccess } from './access.ts';
import { type AnsweredRequest, httpApp } from './http-app.ts';
import { type HttpServer, listenHttp } from './http-server.ts';
import type { ImageAsk } from './image-request.ts';
import type { MadeImages } from './make-images.ts';
import { RequestQueue } from './request-queue.ts';
import { servingMetrics } from './serving-metrics.ts';

const checkpoint = `sha256:${'c'.repeat(64)}`;
const model = {
  name: 'emoji-sd',
  checkpoint,
  sizes: [
    { width: 128, height: 128 },
    { width: 64, height: 128 },
  ],
} as const;
/** An image of one pixel stands for each: what makes them is not the API's affair. */
const made = (asks: readonly ImageAsk[]): readonly MadeImages[] =>
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
async function serve({ access = openAccess, unready = () => undefined, deadlineMs = 30_000, make }: Stage = {}) {
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
const failureOf = async (response: Response): Promise<Failure['error']> => ((await response.json()) as Failure).error;

/** Resolved from outside. */
function gate<T>() {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

describe('the images API', () => {
  it('answers in the shape of the OpenAI API, and names the version', async () => {
    const { post, url, lines } = await serve();
    const response = await post({
      prompt: 'long story',
      n: 2,
      seed: 7,
      size: '64x128',
      model: 'emoji-sd',
      user: 'ada',
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('lethe-manifest-version')).toBe('3');
    expect(await response.json()).toMatchObject({
      created: expect.any(Number) as number,
      data: [
        { b64_json: 'Bw==', seed: 7 },
        { b64_json: 'CA==', seed: 8 },
      ],
      output_format: 'png',
      size: '64x128',
      lethe: { manifest_version: 3, manifest_digest: 'd'.repeat(64), checkpoint, truncated: 'the rest' },
    });
    const models = (await (await fetch(`${url}/v1/models`)).json()) as { readonly data: readonly object[] };
    expect(models).toEqual({
      object: 'list',
      data: [{ id: 'emoji-sd', object: 'model', created: 1, owned_by: 'lethe' }],
    });
    expect(await (await fetch(`${url}/v1/models/emoji-sd`)).json()).toEqual(models.data[0]);
    expect(lines[0]).toMatchObject({ status: 200, route: '/v1/images/generations', version: '3' });
    expect(JSON.stringify(lines)).not.toContain('story');
  });

  it('takes what stands for nothing, and another seed each time', async () => {
    const { post } = await serve();
    const plain = {
      model: null,
      n: null,
      size: 'auto',
      seed: null,
      response_format: 'b64_json',
      quality: 'auto',
      style: null,
    };
    const seeds = new Set<number>();
    for (let i = 0; i < 4; i++) {
      const body = (await (await post({ prompt: 'a cat', ...plain })).json()) as { data: readonly { seed: number }[] };
      seeds.add(body.data[0]?.seed ?? -1);
    }
    expect(seeds.size).toBe(4);
  });

  it.each<[string, unknown, number, string, string | null]>([
    ['no prompt', {}, 400, 'invalid_type', 'prompt'],
    ['an empty prompt', { prompt: '' }, 400, 'invalid_value', 'prompt'],
    ['a prompt that is no text', { prompt: ['a cat'] }, 400, 'invalid_type', 'prompt'],
    ['half a surrogate pair', '{"prompt": "\\ud800"}', 400, 'invalid_value', 'prompt'],
    ['a prompt beyond all bounds', { prompt: 'secret '.repeat(5000) }, 400, 'invalid_value', 'prompt'],
    ['no image', { prompt: 'secret', n: 0 }, 400, 'invalid_value', 'n'],
    ['eleven images', { prompt: 'secret', n: 11 }, 400, 'invalid_value', 'n'],
    ['half an image', { prompt: 'secret', n: 1.5 }, 400, 'invalid_type', 'n'],
    ['a size that is not there', { prompt: 'secret', size: '1024x1024' }, 400, 'invalid_value', 'size'],
    ['a seed that JSON cannot tell from the next', { prompt: 'secret', seed: 2 ** 53 }, 400, 'invalid_value', 'seed'],
    [
      'seeds of which the last is beyond that',
      { prompt: 'secret', n: 2, seed: 2 ** 53 - 1 },
      400,
      'invalid_value',
      'seed',
    ],
    ['a negative seed', { prompt: 'secret', seed: -1 }, 400, 'invalid_value', 'seed'],
    ['a URL', { prompt: 'secret', response_format: 'url' }, 400, 'invalid_value', 'response_format'],
    ['another quality', { prompt: 'secret', quality: 'hd' }, 400, 'invalid_value', 'quality'],
    ['a style', { prompt: 'secret', style: 'vivid' }, 400, 'invalid_type', 'style'],
    ['a stream', { prompt: 'secret', stream: true }, 400, 'invalid_value', 'stream'],
    ['what nobody knows', { prompt: 'secret', stepps: 3 }, 400, 'unknown_parameter', 'stepps'],
    ['another model', { prompt: 'secret', model: 'dall-e-3' }, 404, 'model_not_found', 'model'],
    ['no object', '[1]', 400, 'invalid_type', null],
    ['no JSON', '{"prompt": "secret"', 400, 'invalid_json', null],
    ['a body beyond all bounds', { prompt: 'secret', user: 'x'.repeat(300_000) }, 413, 'request_too_large', null],
  ])('refuses %s, and never quotes the prompt', async (_, body, status, code, param) => {
    const { post, lines } = await serve();
    const response = await post(body);
    expect(response.status).toBe(status);
    const failure = await failureOf(response);
    expect(failure).toMatchObject({ type: 'invalid_request_error', code, param });
    expect(JSON.stringify([failure, lines])).not.toContain('secret');
  });

  /** A request that does not say how long its body is. */
  async function postParts(url: string, ...parts: readonly string[]): Promise<{ status: number; text: string }> {
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const sending = httpRequest(`${url}/v1/images/generations`, { method: 'POST', headers });
    for (const part of parts) sending.write(part);
    sending.end();
    const [response] = (await once(sending, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, text: await text(response) };
  }

  it('reads a body that comes in parts, and refuses one that is too large all the same', async () => {
    const { url, failures } = await serve();
    const done = await postParts(url, '{"prompt": "a \u00e9', 'l\u00e9phant", "se', `ed": ${2 ** 53 - 1}}`);
    expect(done.status).toBe(200);
    expect(JSON.parse(done.text)).toMatchObject({ data: [{ seed: 2 ** 53 - 1 }] });
    const large = await postParts(url, '{"prompt": "secret', ...Array.from({ length: 9 }, () => 'x'.repeat(40_000)));
    expect(large.status).toBe(413);
    expect(JSON.parse(large.text)).toMatchObject({ error: { code: 'request_too_large' } });
    expect((await postParts(url)).status).toBe(400);
    expect(failures).toEqual([]);
  });

  it('refuses other types, methods and places', async () => {
    const { post, url } = await serve();
    const form = await post('prompt=x', { 'content-type': 'application/x-www-form-urlencoded' });
    expect([form.status, (await failureOf(form)).code]).toEqual([415, 'unsupported_media_type']);
    expect((await fetch(`${url}/v1/images/edits`, { method: 'POST' })).status).toBe(404);
    expect((await failureOf(await fetch(`${url}/nowhere`))).code).toBe('not_found');
    expect((await fetch(`${url}/v1/models/other`)).status).toBe(404);
  });

  it('lets in who has a key, and nobody learns more', async () => {
    const access = bearerAccess('# team a\nkey-of-team-a-0123456789\n\nkey-of-team-b-0123456789\n', 'keys.txt');
    const { post, url } = await serve({ access });
    for (const authorization of [
      '',
      'Bearer',
      'Bearer key-of-team-a',
      'Basic key-of-team-a-0123456789',
      'Bearer # team a',
    ]) {
      const refused = await post({ prompt: 'x' }, authorization === '' ? {} : { authorization });
      expect([refused.status, (await failureOf(refused)).code]).toEqual([401, 'invalid_api_key']);
    }
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    for (const team of ['a', 'b'])
      expect((await post({ prompt: 'x' }, { authorization: `Bearer key-of-team-${team}-0123456789` })).status).toBe(
        200,
      );
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(() => bearerAccess('# none\n', 'keys.txt')).toThrow('holds no key');
    expect(() => bearerAccess('a-key-that-is-long\nshort\n', 'keys.txt')).toThrow('keys.txt:2');
  });

  it('answers 503 and says why before there is anything to serve', async () => {
    let why: string | undefined = 'unknown-key: key 1 is not in the trust list';
    const { post, url } = await serve({ unready: () => why });
    const refused = await post({ prompt: 'x' });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(await failureOf(refused)).toMatchObject({ type: 'server_error', code: 'not_ready' });
    const ready = await fetch(`${url}/ready`);
    expect([ready.status, await ready.text()]).toEqual([503, `not ready: ${why}\n`]);
    why = undefined;
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    expect((await post({ prompt: 'x' })).status).toBe(200);
  });

  it('answers 429 with Retry-After past its bound, and 500 without the cause', async () => {
    const first = gate<undefined>();
    const begun = gate<undefined>();
    const { post, url, failures, lines } = await serve({
      make: async (asks) => {
        begun.open(undefined);
        if (asks[0]?.prompt === 'fail') throw new Error('prompt: fail');
        await first.promise;
        return made(asks);
      },
    });
    const running = post({ prompt: 'x' });
    const metric = async () => (await fetch(`${url}/metrics`)).text();
    await begun.promise;
    const waiting = [1, 2].map(() => post({ prompt: 'x' }));
    await vi.waitUntil(async () => /^lethe_serve_queue_images 2$/m.test(await metric()));
    const full = await post({ prompt: 'x' });
    expect(full.status).toBe(429);
    expect(Number(full.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await failureOf(full)).toMatchObject({ type: 'rate_limit_error', code: 'rate_limit_exceeded' });
    first.open(undefined);
    expect((await running).status).toBe(200);
    for (const each of waiting) expect((await each).status).toBe(200);
    const failed = await post({ prompt: 'fail' });
    expect(failed.status).toBe(500);
    expect(await failureOf(failed)).toEqual({
      message: 'The server failed; its log says why.',
      type: 'server_error',
      param: null,
      code: 'internal_error',
    });
    expect(failures).toHaveLength(1);
    expect(lines.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 429, 500]);
  });

  it('gives a request up at its deadline', async () => {
    const { post } = await serve({
      deadlineMs: 20,
      make: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
    });
    const late = await post({ prompt: 'x' });
    expect([late.status, (await failureOf(late)).code]).toEqual([504, 'deadline_exceeded']);
  });

  it.each(['whole', 'in parts'])('drops what a client that went away has asked for, %s', async (how) => {
    const begun = gate<AbortSignal>();
    const { url } = await serve({
      make: (_, signal) => {
        begun.open(signal);
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        });
      },
    });
    const request = httpRequest(`${url}/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    request.on('error', () => undefined);
    if (how === 'in parts') request.write(' ');
    request.end(JSON.stringify({ prompt: 'x' }));
    const signal = await begun.promise;
    request.destroy();
    await vi.waitUntil(() => signal.aborted);
  });

  it('finishes what it has accepted when it stops, and sends what is new elsewhere', async () => {
    const first = gate<undefined>();
    const begun = gate<undefined>();
    const { post, url, stop } = await serve({
      make: async (asks) => {
        begun.open(undefined);
        await first.promise;
        return made(asks);
      },
    });
    const running = post({ prompt: 'x' });
    await begun.promise;
    const stopped = stop();
    const refused = await post({ prompt: 'x' });
    expect([refused.status, refused.headers.get('connection')]).toEqual([503, 'close']);
    expect((await failureOf(refused)).code).toBe('stopping');
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    first.open(undefined);
    const answered = await running;
    expect(answered.status).toBe(200);
    expect(((await answered.json()) as { data: readonly object[] }).data).toHaveLength(1);
    await stopped;
    await expect(post({ prompt: 'x' })).rejects.toThrow();
  });
});
