import { request as httpRequest } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { loadClipTokenizer } from '../../shared/model/tokenizer/clip-tokenizer.ts';
import { emojiSd } from '../diffusion/emoji-sd.spec-support.ts';
import { failureOf, gate, made, serve } from './http-apps.spec-support.ts';

const patience = { timeout: 120_000 };
const waits = (url: string, images: number): Promise<boolean> =>
  vi.waitUntil(async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return metrics.includes(`\nlethe_serve_queue_images ${images}\n`);
  }, patience);

describe('the images API, where it cannot answer at once', () => {
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
    await begun.promise;
    const waiting = [1, 2].map(() => post({ prompt: 'x' }));
    await waits(url, 2);
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

  it('refuses a prompt that cannot be tokenized at once, and leaves the batch of others alone', async () => {
    const tokenizer = await loadClipTokenizer((await openCheckpoint(emojiSd)).tokenizer);
    const first = gate<undefined>();
    const begun = gate<undefined>();
    const batches: (readonly string[])[] = [];
    const { post, url, failures } = await serve({
      deadlineMs: 10_000,
      make: async (asks, signal) => {
        signal.addEventListener('abort', () => {
          first.open(undefined);
        });
        batches.push(asks.map(({ prompt }) => prompt));
        begun.open(undefined);
        await first.promise;
        for (const { prompt } of asks) tokenizer.encode(prompt);
        return made(asks);
      },
    });
    const marked = (marks: number): string => `a${'\u0301'.repeat(marks)}`;
    const running = post({ prompt: 'x' });
    await begun.promise;
    const waiting = post({ prompt: marked(1024) });
    await waits(url, 1);
    const refused = await post({ prompt: marked(1025) });
    expect([refused.status, (await failureOf(refused)).code]).toEqual([400, 'invalid_value']);
    first.open(undefined);
    expect([(await running).status, (await waiting).status]).toEqual([200, 200]);
    expect(batches).toEqual([['x'], [marked(1024)]]);
    expect(failures).toEqual([]);
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
    await vi.waitUntil(() => signal.aborted, patience);
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
