import { describe, expect, it } from 'vitest';
import { concept } from '../../coordinator/plan/campaigns.spec-support.ts';
import type { Candidate } from '../../shared/tuning/candidate.ts';
import type { Recognition } from '../../shared/verification/recognition.ts';
import type { CandidateMasks } from './candidate-masks.ts';
import { measureCandidates } from './measure-candidates.ts';
import type { ProbedSet, ProbeImages } from './probe-images.ts';
import type { ProbeLists } from './probe-lists.ts';
import { requirementsOf } from './requirements.ts';

const names = ['cat', 'violin'];
const thresholds = { ua: 0.5, ira: 0.5 };
const lists: ProbeLists = {
  targets: names.map((name) => ({
    concept: {
      ...concept(name, ['x'], ['y']),
      verify: { sides: [], thresholds, together: thresholds, alternatives: [] },
    },
    target: { head: 'object', label: name },
    probes: [0, 1].map((seed) => ({ prompt: name, seed: String(seed), asked: { object: name } })),
  })),
  rest: [0, 1].map((seed) => ({ prompt: 'owl', seed: String(seed), asked: { object: 'owl' } })),
};
const candidates = ['first', 'second'].map((label): Candidate => {
  return {
    against: 'base',
    masks: names.map((name) => ({ concept: `${label} ${name}`, mask: { selectRatio: 0, sites: [] } })),
  };
});
/** Each candidate's masks are named for it, and for the concept that they erase. */
const masks = {
  of: (candidate: Candidate) => {
    const label = candidate.masks[0]?.concept.split(' ')[0] ?? '';
    const made = names.map((name) => ({ concept: name, hash: `${label} ${name}` }));
    return Promise.resolve({ checkpoint: '', masks: made, pruned: 0, weights: 1, layers: [] });
  },
} as unknown as CandidateMasks;

const sees = (object: string): Recognition => ({
  choice: { object },
  probability: ({ label }) => Number(label === object),
});
const before = { targets: names.map((name) => [sees(name), sees(name)]), rest: [sees('owl'), sees('owl')] };

/** The second candidate's violin alone is what erases; all else leaves every image as it was. */
function imagesOf(asked: ProbedSet[]): ProbeImages {
  const seen = (sets: readonly ProbedSet[], samples: number) => {
    asked.push(...sets);
    return Promise.resolve(
      sets.map((set) => {
        const all = [...before.targets, before.rest].map((list, i) => {
          const shown = set.masks.join() === 'second violin' ? list.map(() => sees('nothing')) : list;
          return set.lists === undefined || set.lists.includes(i) ? shown.slice(0, samples) : [];
        });
        return { targets: all.slice(0, -1), rest: all.at(-1) ?? [] };
      }),
    );
  };
  return { lists, seen } as unknown as ProbeImages;
}

describe('measureCandidates', () => {
  it('gives each candidate, and each of its masks alone, what was seen under these masks', async () => {
    const trials = await measureCandidates(candidates, 2, true, masks, imagesOf([]), requirementsOf(lists), before);
    const erased = trials.map(({ standings }) =>
      standings
        .filter(({ requirement }) => requirement.side.kind === 'erased')
        .map(({ requirement, hits }) => [requirement.name, hits]),
    );
    const none = names.map((name) => [`UA of ${name}`, 0]);
    expect(erased).toEqual([
      [...none, ['UA of cat alone', 0], ['UA of violin alone', 0]],
      [...none, ['UA of cat alone', 0], ['UA of violin alone', 2]],
    ]);
    expect(
      trials.map(({ standings }) => standings.find(({ requirement }) => requirement.name.startsWith('rest'))?.hits),
    ).toEqual([2, 2]);
  });

  it('draws masks alone only where all images are drawn, and only what tells what is asked of them', async () => {
    const some: ProbedSet[] = [];
    const trials = await measureCandidates(candidates, 1, false, masks, imagesOf(some), requirementsOf(lists), before);
    expect(some.map(({ masks: own }) => own.length)).toEqual([2, 2]);
    expect(
      trials.flatMap(({ standings }) => standings.filter(({ requirement }) => requirement.alone !== undefined)),
    ).toEqual([]);
    const whole: ProbedSet[] = [];
    await measureCandidates(candidates.slice(0, 1), 2, true, masks, imagesOf(whole), requirementsOf(lists), before);
    expect(whole).toEqual([
      { masks: ['first cat', 'first violin'] },
      { masks: ['first cat'], lists: [0, 2] },
      { masks: ['first violin'], lists: [1, 2] },
    ]);
  });
});
