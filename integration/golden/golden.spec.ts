import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { checkDirectory } from './check-directory.ts';
import { formatResult, passed } from './result.ts';

describe('golden vectors', () => {
  let thread: SessionThread;
  beforeAll(() => void (thread = new SessionThread()));
  afterAll(() => thread.close());

  it.each([
    ['primitives', 51],
    ['uneven', 21],
    ['unusual', 20],
    ['early', 12],
  ])('%s are matched', async (name, count) => {
    const results: string[] = [];
    const failed: string[] = [];
    const directory = `integration/golden/vectors/${name}`;
    for await (const result of checkDirectory(directory, thread, { provider: 'cpu', threads: 1 })) {
      results.push(result.name);
      if (!passed(result)) failed.push(formatResult(result));
    }
    expect(failed).toEqual([]);
    expect(results).toHaveLength(count);
  });
});
