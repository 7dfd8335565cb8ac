import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { type Graph, graphOf } from '../../shared/model/graph/graph.ts';
import { input, intConstant, type Value } from '../../shared/model/graph/value.ts';
import { add } from '../../shared/model/ops/arithmetic.ts';
import { gather } from '../../shared/model/ops/layout.ts';
import { matMul } from '../../shared/model/ops/product.ts';
import type { HostTensor, SessionSettings } from './protocol.ts';
import { type Provider, providerAdvice } from './provider.ts';
import { SessionThread } from './session-thread.ts';

const cpu: SessionSettings = { provider: 'cpu', threads: 1 };

const floats = (shape: readonly number[], data: Float32Array): HostTensor => ({ type: 'float32', shape, data });

/** x + x for vectors of any length, beside x + x + x. */
function sums(): Graph {
  const x = input('x', { element: 'float', shape: ['n'] });
  const twice = add('twice', x, x);
  return graphOf('sums', [twice, add('thrice', twice, x)]);
}

/** A model that takes a while: a chain of products. */
function chain(side: number, products: number): Graph {
  const x = input('x', { element: 'float', shape: [side, side] });
  let value: Value = x;
  for (let i = 0; i < products; i++) value = matMul(`product.${i}`, value, x);
  return graphOf('chain', [value]);
}

const pseudoRandom = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i * i));

const failureOf = async (work: Promise<unknown>): Promise<LetheError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LetheError);
  return error as LetheError;
};

const threads: SessionThread[] = [];
const newThread = (): SessionThread => {
  const thread = new SessionThread();
  threads.push(thread);
  return thread;
};
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.close()));
});

describe('a session', () => {
  it('gives every output by name, for any size that was left open', async () => {
    const session = await newThread().open(sums(), cpu);
    for (const data of [[1], [1, 2.5, -3]]) {
      const outputs = await session.run({ x: floats([data.length], Float32Array.from(data)) });
      expect([...outputs.keys()].sort()).toEqual(['thrice/Add', 'twice/Add']);
      expect(outputs.get('twice/Add')).toEqual({ shape: [data.length], data: Float32Array.from(data, (x) => 2 * x) });
      expect(outputs.get('thrice/Add')?.data).toEqual(Float32Array.from(data, (x) => 3 * x));
    }
  });

  it('leaves what it is fed to its caller', async () => {
    const session = await newThread().open(sums(), cpu);
    const data = Float32Array.of(1, 2);
    await session.run({ x: floats([2], data) });
    expect(data).toEqual(Float32Array.of(1, 2));
  });

  it('takes part of a larger buffer', async () => {
    const session = await newThread().open(sums(), cpu);
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    expect((await session.run({ x: floats([2], data) })).get('twice/Add')?.data).toEqual(Float32Array.of(2, 4));
  });

  it('answers each of several requests at once with its own numbers', async () => {
    const thread = newThread();
    const [one, other] = await Promise.all([thread.open(sums(), cpu), thread.open(chain(2, 1), cpu)]);
    const runs = Array.from({ length: 20 }, async (_, i) => {
      const x = floats([1], Float32Array.of(i));
      return (await one.run({ x })).get('twice/Add')?.data[0];
    });
    const square = await other.run({ x: floats([2, 2], Float32Array.of(1, 1, 0, 1)) });
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 20 }, (_, i) => 2 * i));
    expect(square.get('product.0/MatMul')?.data).toEqual(Float32Array.of(1, 2, 0, 1));
  });

  it('does not block the thread that called it', async () => {
    const session = await newThread().open(chain(512, 60), cpu);
    const x = floats([512, 512], pseudoRandom(512 * 512));
    const state = { running: true, turns: 0 };
    const run = session.run({ x }).finally(() => {
      state.running = false;
    });
    while (state.running) {
      await setImmediate();
      state.turns += 1;
    }
    await run;
    // A run on this thread would let at most a few turns by before and after it.
    expect(state.turns).toBeGreaterThan(100);
  });

  it('gives the same bits with one thread and with two', async () => {
    const thread = newThread();
    const x = floats([192, 192], pseudoRandom(192 * 192));
    const [one, two] = await Promise.all(
      [1, 2].map(async (count) => (await thread.open(chain(192, 2), { ...cpu, threads: count })).run({ x })),
    );
    expect(one).toEqual(two);
  });
});

describe('what the runtime refuses', () => {
  it('to load is session-failed with its reason', async () => {
    const x = input('x', { element: 'float', shape: [2] });
    const graph = graphOf('mixed', [add('sum', x, x)]);
    const node = graph.nodes[0]!;
    const broken: Graph = { ...graph, nodes: [{ ...node, operator: 'NoSuchOperator' }] };
    const error = await failureOf(newThread().open(broken, cpu));
    expect(error).toMatchObject({ code: 'session-failed', what: 'cannot load mixed', isInput: false });
    expect(error.why).toContain('NoSuchOperator');
  });

  it.each([
    ['a missing input', {}, 'x'],
    ['another shape', { x: floats([2, 2], new Float32Array(4)) }, 'rank'],
    ['a shape that is not the data', { x: floats([3], new Float32Array(2)) }, 'data length'],
    ['another type', { x: { type: 'int32', shape: [1], data: new Int32Array(1) } as const }, 'int32'],
  ])('to run is session-failed with its reason: %s', async (_, feeds: Record<string, HostTensor>, reason) => {
    const session = await newThread().open(sums(), cpu);
    const error = await failureOf(session.run(feeds));
    expect(error).toMatchObject({ code: 'session-failed', what: 'cannot run sums' });
    expect(error.why).toContain(reason);
    // The session is none the worse for it.
    await expect(session.run({ x: floats([1], Float32Array.of(1)) })).resolves.toBeDefined();
  });

  it('to give as fp32 is said, not reinterpreted', async () => {
    const ids = input('ids', { element: 'int32', shape: [1] });
    const table = intConstant('table', [7, 8]);
    const session = await newThread().open(graphOf('lookup', [gather('lookup', table, ids)]), cpu);
    const error = await failureOf(session.run({ ids: { type: 'int32', shape: [1], data: Int32Array.of(1) } }));
    expect(error.why).toMatch(/lookup\/Gather: it is int64/);
  });
});

describe('a provider that is not there', () => {
  const absent = (process.platform === 'darwin' ? 'dml' : 'coreml') satisfies Provider;

  it.each(['cuda', 'tensorrt', absent] as const)('%s: says what there is and what to do', async (provider) => {
    const error = await failureOf(newThread().open(sums(), { provider, threads: 1 }));
    expect(error).toMatchObject({
      code: 'provider-unavailable',
      what: `cannot use the ${provider} provider`,
      next: providerAdvice[provider],
      isInput: false,
    });
    expect(error.why).toMatch(/this build knows .*\bcpu\b/);
    expect(error.why).not.toContain('\n');
  });

  it('is found by trying, where the CPU one is there', async () => {
    const thread = newThread();
    expect(await thread.tryProvider('cpu')).toBeUndefined();
    expect(await thread.tryProvider(absent)).toMatch(/\w/);
    expect(await thread.support()).toContainEqual({ provider: 'cpu', bundled: true });
  });
});

describe('the end of a session', () => {
  it('dispose: later runs are refused, disposing again does nothing, other sessions go on', async () => {
    const thread = newThread();
    const [one, other] = await Promise.all([thread.open(sums(), cpu), thread.open(sums(), cpu)]);
    const x = floats([1], Float32Array.of(1));
    const underWay = one.run({ x });
    await one.dispose();
    await one.dispose();
    expect((await underWay).get('twice/Add')?.data[0]).toBe(2);
    expect(await failureOf(one.run({ x }))).toMatchObject({
      code: 'session-failed',
      why: 'the session has been disposed of',
    });
    await expect(other.run({ x })).resolves.toBeDefined();
  });

  it('a thread that ends during a run: that run and all later requests are session-lost', async () => {
    const thread = newThread();
    const session = await thread.open(chain(512, 200), cpu);
    const x = floats([512, 512], pseudoRandom(512 * 512));
    const runs = [session.run({ x }), session.run({ x })].map(failureOf);
    await thread.close();
    for (const error of await Promise.all([
      ...runs,
      failureOf(session.run({ x })),
      failureOf(thread.open(sums(), cpu)),
      failureOf(thread.support()),
    ]))
      expect(error).toMatchObject({ code: 'session-lost', why: 'it was closed', isInput: false });
    await expect(session.dispose()).resolves.toBeUndefined();
    await expect(thread.close()).resolves.toBeUndefined();
  });
});
