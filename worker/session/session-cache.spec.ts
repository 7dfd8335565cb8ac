import { afterAll, describe, expect, it } from 'vitest';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { type Graph, graphOf } from '../../shared/model/graph/graph.ts';
import { input } from '../../shared/model/graph/value.ts';
import { add } from '../../shared/model/ops/arithmetic.ts';
import type { SessionSettings } from './protocol.ts';
import { SessionCache } from './session-cache.ts';
import { type Session, SessionThread } from './session-thread.ts';

const settings: SessionSettings = { provider: 'cpu', threads: 1 };
const x = input('x', { element: 'float', shape: [1] });
const graph = (name: string): Graph => graphOf(name, [add(name, x, x)]);

/** A thread that writes down what is loaded and freed, with a real one's promises. */
class Recorder {
  readonly log: string[] = [];
  readonly loaded = new Set<string>();
  most = 0;
  refuse: LetheError | undefined;

  async open({ name }: Graph): Promise<Session> {
    this.log.push(`load ${name}`);
    await Promise.resolve();
    if (this.refuse !== undefined) throw this.refuse;
    this.loaded.add(name);
    this.most = Math.max(this.most, this.loaded.size);
    return {
      run: () => Promise.resolve(new Map()),
      dispose: async () => {
        await Promise.resolve();
        this.log.push(`free ${name}`);
        this.loaded.delete(name);
      },
    };
  }
}

const nothing = () => Promise.resolve();
const refused = new LetheError('session-failed', { what: 'cannot load', why: 'no', next: 'none' });

describe('SessionCache', () => {
  it('loads a model once for users that come together and for those that come later', async () => {
    const thread = new Recorder();
    const cache = new SessionCache(thread, settings, 2);
    const sessions = await Promise.all(
      [1, 2, 3].map(() =>
        cache.use(
          'a',
          () => graph('a'),
          (s) => Promise.resolve(s),
        ),
      ),
    );
    sessions.push(
      await cache.use(
        'a',
        () => graph('not built'),
        (s) => Promise.resolve(s),
      ),
    );
    expect(thread.log).toEqual(['load a']);
    expect(new Set(sessions).size).toBe(1);
  });

  it('frees the one used longest ago, before another is loaded', async () => {
    const thread = new Recorder();
    const cache = new SessionCache(thread, settings, 2);
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await cache.use(key, () => graph(key), nothing);
    expect(thread.log).toEqual(['load a', 'load b', 'free b', 'load c', 'free c', 'load b']);
    expect(thread.most).toBe(2);
  });

  it('never frees one that is in use, and frees it once it is not', async () => {
    const thread = new Recorder();
    const cache = new SessionCache(thread, settings, 1);
    await cache.use(
      'a',
      () => graph('a'),
      async () => {
        await cache.use(
          'b',
          () => graph('b'),
          async () => {
            await cache.use('a', () => graph('a'), nothing);
            expect([...thread.loaded]).toEqual(['a', 'b']);
          },
        );
        expect([...thread.loaded]).toEqual(['a']);
      },
    );
    expect(thread.log).toEqual(['load a', 'load b', 'free b']);
  });

  it('does not keep what could not be loaded: all who waited are told, the next use tries again', async () => {
    const thread = new Recorder();
    const cache = new SessionCache(thread, settings, 2);
    thread.refuse = refused;
    const tries = await Promise.allSettled([1, 2].map(() => cache.use('a', () => graph('a'), nothing)));
    expect(tries.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    thread.refuse = undefined;
    await cache.use('a', () => graph('a'), nothing);
    expect(thread.log).toEqual(['load a', 'load a']);
  });

  it('a retry that starts while others still hear of the failure is loaded once and kept', async () => {
    const thread = new Recorder();
    const cache = new SessionCache(thread, settings, 2);
    thread.refuse = refused;
    const retry = async () => {
      await cache
        .use('a', () => graph('a'), nothing)
        .catch(() => {
          thread.refuse = undefined;
        });
      await cache.use('a', () => graph('a'), nothing);
    };
    await Promise.all([retry(), retry(), retry()]);
    await cache.use('a', () => graph('a'), nothing);
    expect(thread.log).toEqual(['load a', 'load a']);
  });

  it('a graph that cannot be built is reported as it is, and tried again', async () => {
    const cache = new SessionCache(new Recorder(), settings, 2);
    const broken = () => {
      throw refused;
    };
    await expect(cache.use('a', broken, nothing)).rejects.toBe(refused);
    await expect(cache.use('a', () => graph('a'), nothing)).resolves.toBeUndefined();
  });

  it('work that fails fails its user only', async () => {
    const thread = new Recorder();
    const cache = new SessionCache(thread, settings, 1);
    await expect(
      cache.use(
        'a',
        () => graph('a'),
        () => Promise.reject(refused),
      ),
    ).rejects.toBe(refused);
    await cache.use('a', () => graph('a'), nothing);
    expect(thread.log).toEqual(['load a']);
  });
});

describe('SessionCache over a real thread', () => {
  const thread = new SessionThread();
  afterAll(() => thread.close());

  it('runs, evicts and loads again', async () => {
    const cache = new SessionCache(thread, settings, 1);
    for (const name of ['a', 'b', 'a']) {
      const outputs = await cache.use(
        name,
        () => graph(name),
        (session) => session.run({ x: { type: 'float32', shape: [1], data: Float32Array.of(4) } }),
      );
      expect(outputs.get(`${name}/Add`)?.data).toEqual(Float32Array.of(8));
    }
  });
});
