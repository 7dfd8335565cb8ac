import { once } from 'node:events';
import { expect, it } from 'vitest';
import { SumThreads } from './sum-threads.ts';

it('one thread is kept for the next sum; no two sums share one, and one that has ended is not given out', async () => {
  const threads = new SumThreads();
  threads.start();
  threads.start();
  const [first, second] = [threads.take(), threads.take()];
  expect(second).not.toBe(first);
  await threads.giveBack(first);
  const ended = once(second, 'exit');
  await threads.giveBack(second);
  await ended;
  expect(threads.take()).toBe(first);
  await threads.giveBack(first);
  await first.terminate();
  const other = threads.take();
  expect(other).not.toBe(first);
  await other.terminate();
});
