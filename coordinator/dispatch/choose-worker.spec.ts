import { describe, expect, it } from 'vitest';
import type { Capabilities } from '../../shared/fleet/task.ts';
import { type Candidate, chooseWorker, obstacle } from './choose-worker.ts';
import { fairOrder, fairPull } from './fair-order.ts';
import { classWithMostCapacity } from './numerics-class.ts';

const able: Capabilities = {
  device: 'd',
  memory: 1000,
  providers: ['cpu'],
  numerics: 'n',
  graph: '1',
  checkpoints: ['c'],
  version: '1',
  units: ['denoise', 'encode'],
};
const need = { memory: 1000, unit: { kind: 'denoise', checkpoint: 'c', numerics: 'n', graph: '1' } } as const;
const worker = (name: string, more: Partial<Candidate> = {}): Candidate => {
  return { worker: name, capabilities: able, credits: 1, closed: false, ...more };
};

describe('chooseWorker', () => {
  it('takes the one with most credits, then the first by name', () => {
    expect(chooseWorker([worker('b'), worker('a')], need, [])?.worker).toBe('a');
    expect(chooseWorker([worker('b', { credits: 2 }), worker('a')], need, [])?.worker).toBe('b');
  });

  it('leaves out workers without credit, closed ones, and those that cannot run it', () => {
    const others = [
      worker('a', { credits: 0 }),
      worker('b', { closed: true }),
      worker('c', { capabilities: { ...able, memory: 999 } }),
    ];
    expect(chooseWorker(others, need, [])).toBeUndefined();
  });

  it('gives a unit to a worker that has not failed it, and waits for one that is busy', () => {
    const two = [worker('a'), worker('b')];
    expect(chooseWorker(two, need, ['a'])?.worker).toBe('b');
    expect(chooseWorker([worker('a'), worker('b', { credits: 0 })], need, ['a'])).toBeUndefined();
    // There is no other.
    expect(chooseWorker(two, need, ['a', 'b'])?.worker).toBe('a');
    expect(chooseWorker([worker('a'), worker('b', { closed: true })], need, ['a'])?.worker).toBe('a');
  });

  it.each([
    [{ checkpoints: [] }, 'checkpoint c'],
    [{ numerics: 'other' }, 'numerics class other'],
    [{ graph: '2' }, 'graph version 2'],
    [{ memory: 1 }, '1 bytes'],
  ])('says why a worker can never run it: %j', (lacks, why) => {
    expect(obstacle({ ...able, ...lacks }, need)).toContain(why);
    expect(obstacle(able, need)).toBeUndefined();
  });

  it('gives no images to a worker of the release before, which does not name them', () => {
    const images = { ...need, unit: { ...need.unit, kind: 'image' } } as const;
    expect(obstacle(able, images)).toContain('image units');
    expect(obstacle({ ...able, units: ['denoise', 'encode', 'image'] }, images)).toBeUndefined();
  });
});

describe('fairOrder', () => {
  it('asks the campaign with fewest leases first', () => {
    const shares = [
      { campaign: 'b', leased: 1 },
      { campaign: 'c', leased: 0 },
      { campaign: 'a', leased: 1 },
    ];
    expect(fairOrder(shares).map(({ campaign }) => campaign)).toEqual(['c', 'a', 'b']);
  });

  it('lets no campaign have more than one unit over another, whenever workers become free', () => {
    const leased = new Map([1, 2, 3].map((i) => [`c${i}`, 0]));
    for (let round = 0; round < 30; round++) {
      const shares = [...leased].map(([campaign, count]) => ({ campaign, leased: count }));
      const [first] = fairOrder(shares);
      const pulled = fairPull(1, shares.length);
      leased.set(first!.campaign, first!.leased + pulled);
      const counts = [...leased.values()];
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  it('asks for as many as there are credits where nobody else wants them', () => {
    expect([fairPull(7, 1), fairPull(7, 2), fairPull(1, 9)]).toEqual([7, 4, 1]);
  });
});

describe('classWithMostCapacity', () => {
  it('counts workers that hold the checkpoint', () => {
    const of = (numerics: string, ...checkpoints: readonly string[]) => ({ ...able, numerics, checkpoints });
    expect(classWithMostCapacity([], 'c')).toBeUndefined();
    expect(classWithMostCapacity([of('x', 'd')], 'c')).toBeUndefined();
    expect(classWithMostCapacity([of('x', 'c'), of('y', 'c'), of('y', 'c'), of('x', 'd')], 'c')).toBe('y');
    expect(classWithMostCapacity([of('y', 'c'), of('x', 'c')], 'c')).toBe('x');
  });
});
