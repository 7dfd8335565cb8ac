import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type Ask, RequestQueue } from './request-queue.ts';

interface Numbered extends Ask {
  readonly id: number;
}
const ask = (id: number, images = 1, key = 'k'): Numbered => ({ id, images, key });
const open = new AbortController().signal;
const forEver = 2 ** 31 - 1;
const limits = { waiting: 8, batch: 4, gatherMs: 0 };

/** A queue whose batches end when the spec says so. */
function stage(more: Partial<typeof limits> = {}) {
  const batches: { readonly ids: readonly number[]; readonly signal: AbortSignal; end: (error?: Error) => void }[] = [];
  const depths: number[] = [];
  const queue = new RequestQueue<Numbered, string>(
    { ...limits, ...more },
    (asks, signal) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error): void => {
          if (error === undefined) resolve(asks.map(({ id }) => `result ${id}`));
          else reject(error);
        };
        batches.push({ ids: asks.map(({ id }) => id), signal, end });
      }),
    { depth: (images) => depths.push(images), batch: () => undefined },
  );
  const batch = async (number: number) => vi.waitUntil(() => batches[number], { interval: 1 });
  return { queue, batches, batch, depths };
}

describe('the request queue', () => {
  it('runs what came together as one batch, and what waits meanwhile as the next', async () => {
    const { queue, batch } = stage();
    const first = [1, 2, 3].map((id) => queue.submit(ask(id), forEver, open));
    expect((await batch(0)).ids).toEqual([1, 2, 3]);
    const second = [4, 5, 6, 7, 8].map((id) => queue.submit(ask(id), forEver, open));
    (await batch(0)).end();
    expect(await Promise.all(first)).toEqual([1, 2, 3].map((id) => ({ kind: 'done', result: `result ${id}` })));
    expect((await batch(1)).ids).toEqual([4, 5, 6, 7]);
    (await batch(1)).end();
    expect((await batch(2)).ids).toEqual([8]);
    (await batch(2)).end();
    expect(await second[4]).toEqual({ kind: 'done', result: 'result 8' });
  });

  it('puts only what has the same key together, and leaves nobody behind', async () => {
    const { queue, batch } = stage({ waiting: 20 });
    const all = [ask(1, 1, 'a'), ask(2, 1, 'b'), ask(3, 1, 'a'), ask(4, 6, 'b')].map((each) =>
      queue.submit(each, forEver, open),
    );
    for (const [i, ids] of [[1, 3], [2], [4]].entries()) {
      expect((await batch(i)).ids).toEqual(ids);
      (await batch(i)).end();
    }
    expect((await Promise.all(all)).map(({ kind }) => kind)).toEqual(['done', 'done', 'done', 'done']);
  });

  it('refuses past its bound, with the time that what waits will take', async () => {
    const { queue, batch } = stage({ waiting: 2 });
    void queue.submit(ask(0), forEver, open);
    (await batch(0)).end();
    void queue.submit(ask(1), forEver, open);
    await batch(1);
    const waiting = [2, 3].map((id) => queue.submit(ask(id), forEver, open));
    expect(await queue.submit(ask(4), forEver, open)).toEqual({ kind: 'full', retryAfter: 1 });
    (await batch(1)).end();
    expect((await batch(2)).ids).toEqual([2, 3]);
    (await batch(2)).end();
    expect((await Promise.all(waiting)).map(({ kind }) => kind)).toEqual(['done', 'done']);
  });

  it('drops those who went away or waited too long, and gives a batch up that nobody waits for', async () => {
    const { queue, batch, batches, depths } = stage();
    const clients = [1, 2, 3].map(() => new AbortController());
    const running = queue.submit(ask(1), forEver, clients[0]!.signal);
    await batch(0);
    const waiting = queue.submit(ask(2), forEver, clients[1]!.signal);
    const late = queue.submit(ask(3), 1, open);
    expect(await late).toEqual({ kind: 'late' });
    clients[1]!.abort();
    expect(await waiting).toEqual({ kind: 'gone' });
    expect(depths.at(-1)).toBe(0);
    expect((await batch(0)).signal.aborted).toBe(false);
    clients[0]!.abort();
    expect(await running).toEqual({ kind: 'gone' });
    expect((await batch(0)).signal.aborted).toBe(true);
    (await batch(0)).end(new Error('given up'));
    await queue.drain();
    expect(batches).toHaveLength(1);
    clients[2]!.abort();
    expect(await queue.submit(ask(4), forEver, clients[2]!.signal)).toEqual({ kind: 'stopping' });
  });

  it('lets a request fail alone', async () => {
    const fault = new Error('not this one');
    const queue = new RequestQueue<Numbered, number>(
      limits,
      (asks) => (asks.some(({ id }) => id === 2) ? Promise.reject(fault) : Promise.resolve(asks.map(({ id }) => id))),
      { depth: () => undefined, batch: () => undefined },
    );
    const all = await Promise.all([1, 2, 3].map((id) => queue.submit(ask(id), forEver, open)));
    expect(all).toEqual([
      { kind: 'done', result: 1 },
      { kind: 'failed', error: fault },
      { kind: 'done', result: 3 },
    ]);
  });

  it('finishes what it has taken before it is drained', async () => {
    const { queue, batch } = stage();
    const first = queue.submit(ask(1), forEver, open);
    await batch(0);
    const second = queue.submit(ask(2), forEver, open);
    const drained = queue.drain();
    expect(await queue.submit(ask(3), forEver, open)).toEqual({ kind: 'stopping' });
    (await batch(0)).end();
    (await batch(1)).end();
    await drained;
    expect((await Promise.all([first, second])).map(({ kind }) => kind)).toEqual(['done', 'done']);
  });

  it('ends every request exactly as it must, whatever their sizes and keys', async () => {
    const asks = fc.array(fc.record({ images: fc.integer({ min: 1, max: 6 }), key: fc.constantFrom('a', 'b') }), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(asks, async (given) => {
        const sizes: number[] = [];
        const queue = new RequestQueue<Numbered, number>(
          { ...limits, waiting: 1000 },
          (batch) => {
            expect(new Set(batch.map(({ key }) => key)).size).toBe(1);
            const images = batch.reduce((sum, each) => sum + each.images, 0);
            expect(images <= limits.batch || batch.length === 1).toBe(true);
            sizes.push(...batch.map(({ id }) => id));
            return Promise.resolve(batch.map(({ id }) => id));
          },
          { depth: () => undefined, batch: () => undefined },
        );
        const ended = await Promise.all(given.map((each, id) => queue.submit({ ...each, id }, forEver, open)));
        expect(ended).toEqual(given.map((_, id) => ({ kind: 'done', result: id })));
        expect(sizes.toSorted((a, b) => a - b)).toEqual(given.map((_, id) => id));
      }),
      { numRuns: 50 },
    );
  });
});
