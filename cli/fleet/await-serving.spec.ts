import { describe, expect, it } from 'vitest';
import type { ServingProcess, ServingResponse } from '../../gen/fleet/v1/mask.ts';
import { servingBehind } from '../output/serving-rows.ts';
import { awaitServing, type ServingRow } from './await-serving.ts';

const wanted = { version: 5, digest: 'd5' };
const at = (process: string, version: number | undefined, change: Partial<ServingProcess> = {}): ServingProcess => ({
  process,
  instance: `i-${process}`,
  version,
  digest: version === undefined ? undefined : `d${version}`,
  seconds: 0.25,
  refusedReason: undefined,
  refusedWhy: undefined,
  missing: false,
  ...change,
});
/** What is found at each look; the last one from then on. */
const looks = (...found: readonly (readonly ServingProcess[])[]) => {
  let look = 0;
  return {
    serving: (): Promise<ServingResponse> => {
      const processes = [...(found[Math.min(look, found.length - 1)] ?? [])];
      look += 1;
      return Promise.resolve({ version: 5, digest: 'd5', processes });
    },
  };
};
const statesOf = (rows: readonly ServingRow[]) => rows.map(({ process, state }) => `${process} ${state}`);

describe('awaitServing', () => {
  it('waits until every process has it, tells of each once, and counts a newer version', async () => {
    const told: string[] = [];
    const client = looks([at('a', 4), at('b', 5)], [at('a', undefined), at('b', 5)], [at('a', 5), at('b', 6)]);
    const rows = await awaitServing(client, 'c', wanted, [], 60_000, ({ process }) => told.push(process));
    expect(statesOf(rows)).toEqual(['a serving', 'b serving']);
    expect(told).toEqual(['b', 'a']);
    expect(servingBehind('c', rows, 60)).toBeUndefined();
  });

  it('names who is behind when the time is over: waiting, refusing, or not heard of any more', async () => {
    const refusing = at('b', 4, { refusedReason: 'unknown-key', refusedWhy: 'x' });
    const otherContent = at('c', 5, { digest: 'other' });
    const client = looks([at('a', 4), refusing, otherContent, at('e', 5)]);
    const rows = await awaitServing(client, 'c', wanted, [at('d', 4), at('a', 4)], 0, () => undefined);
    expect(statesOf(rows)).toEqual(['a waiting', 'b refused', 'c waiting', 'e serving', 'd gone']);
    expect(servingBehind('c', rows, 0)).toMatchObject({
      code: 'serving-behind',
      why: expect.stringContaining('a (waiting), b (unknown-key), c (waiting), d (gone)') as string,
    });
  });

  it('has nobody to wait for where nobody serves', async () => {
    expect(await awaitServing(looks([]), 'c', wanted, [], 60_000, () => undefined)).toEqual([]);
  });
});
