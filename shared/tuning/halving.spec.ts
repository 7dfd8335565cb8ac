import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, candidateKey, type SiteChoice } from './candidate.ts';
import { gridOf, spread } from './grid.ts';
import {
  ask,
  imagesBefore,
  imagesOf,
  leastBudget,
  next,
  type SearchState,
  startSearch,
  type Validation,
  wholeTrials,
} from './halving.ts';
import { balancing, neighbours } from './neighbours.ts';
import type { Standing } from './standing.ts';
import { chooseWinner, type Trial } from './trial.ts';
import { candidateOf, concepts, limits, requirements } from './tuning.spec-support.ts';

const validation: Validation = { lists: [40, 40, 80], alone: 120 };

/**
 * A model of pruning in which larger ratios erase more and keep less, and a margin the other way round. One mask for both
 * concepts is too strong for the cat by the time that it is strong enough for the violin.
 */
function measure(candidate: Candidate, samples: number): Trial {
  const force = ({ sites, selectRatio }: Candidate['masks'][number]['mask']): number =>
    sites.reduce((sum, { site, skillRatio, margin }) => sum + (skillRatio * (site === 'ffn2' ? 10 : 4)) / margin, 0) *
    (1 - 0.3 * selectRatio);
  const erased = (concept: string): number => {
    const mask = candidate.masks.find((each) => each.concept === concept)?.mask;
    return mask === undefined ? 0 : 1 - Math.exp((concept === 'cat' ? -6 : -3.5) * force(mask));
  };
  const harm = candidate.masks.reduce((sum, { mask }) => sum + force(mask), 0);
  const share = [...concepts.map(erased), Math.exp(-0.073 * harm ** 2)];
  return {
    candidate,
    pruned: Math.round(1000 * candidate.masks.reduce((sum, { mask }) => sum + force(mask), 0)),
    standings: requirements.map((requirement, i) => ({
      requirement,
      hits: Math.round((share[i] ?? 0) * samples),
      of: samples,
      expected: share[i] ?? 0,
    })),
    samples,
    layers: [],
  };
}

/** The ratio of a layer that a site has: its own, or that of all. */
const ratioOf = ({ skillRatio, layers }: SiteChoice, name: string): number =>
  layers === undefined ? skillRatio : (layers[name] ?? 0);

/** As `measure`, where each site has a layer that erases, one that only harms and one that does nothing. */
function measureLayers(candidate: Candidate, samples: number): Trial {
  const only = (layer: string): Candidate => ({
    ...candidate,
    masks: candidate.masks.map(({ concept, mask }) => {
      const sites = mask.sites.map((site) => ({ ...site, skillRatio: ratioOf(site, `${site.site}.${layer}`) }));
      return { concept, mask: { ...mask, sites } };
    }),
  });
  const erasing = measure(only('erasing'), samples);
  const harm = measure(only('harmful'), samples).pruned / 1000;
  const layers = candidate.masks.flatMap(({ concept, mask }) =>
    mask.sites.flatMap((site) =>
      ['erasing', 'harmful', 'idle']
        .map((layer) => ({ concept, site: site.site, name: `${site.site}.${layer}` }))
        .filter(({ name }) => ratioOf(site, name) > 0),
    ),
  );
  const standings = erasing.standings.map((standing): Standing => {
    if (standing.requirement.side.kind === 'erased') return standing;
    const expected = standing.expected * Math.exp(-0.3 * harm);
    return { ...standing, expected, hits: Math.round(expected * samples) };
  });
  return { ...erasing, candidate, standings, layers, pruned: 100 * layers.length + erasing.pruned };
}

/** Every state of a search to its end. */
function run(grid: readonly Candidate[], budget: number, measured = measure): readonly SearchState[] {
  const states = [startSearch([], grid, validation, budget)];
  for (;;) {
    const state = states.at(-1);
    if (state === undefined || states.length > 200) throw new Error('the search does not end');
    const asked = ask(state);
    if (asked.kind === 'done') return states;
    states.push(
      next(
        state,
        asked.candidates.map((candidate) => measured(candidate, asked.samples)),
      ),
    );
  }
}

describe('search', () => {
  const grid = gridOf(limits, concepts);

  it('never makes more images than its budget, and says how many it made', () => {
    fc.assert(
      fc.property(fc.integer({ min: leastBudget(validation), max: 20_000 }), (budget) => {
        const states = run(grid, budget);
        const last = states.at(-1);
        const made = last?.trials.reduce(
          (sum, { samples }) => sum + imagesOf(validation, samples),
          imagesBefore(validation),
        );
        expect(last?.spent).toBe(made);
        expect(made).toBeLessThanOrEqual(budget);
        expect(last === undefined ? [] : wholeTrials(last)).not.toEqual([]);
      }),
    );
  });

  it('finds masks that meet what no mask of the grid meets: each concept needs its own', () => {
    const whole = { ...startSearch([], grid, validation, 0), trials: grid.map((candidate) => measure(candidate, 80)) };
    expect(chooseWinner(wholeTrials(whole))?.certainty).toBe('missed');
    const last = run(grid, 30_000).at(-1);
    expect(chooseWinner(last === undefined ? [] : wholeTrials(last))?.certainty).not.toBe('missed');
  });

  it('tries first what prunes more for the concept that is short and less for the other', () => {
    const firsts = run(grid, 30_000).flatMap((state) => {
      const best = chooseWinner(wholeTrials(state))?.trial;
      const tried = new Set(state.trials.map(({ candidate }) => candidateKey(candidate)));
      const given = best === undefined ? [] : balancing(best).map(candidateKey);
      const asked = ask(state);
      // A round of what is near the best asks for nothing that was measured before.
      if (state.phase !== 'near' || asked.kind === 'done' || asked.samples !== 20) return [];
      const fresh = given.filter((key) => !tried.has(key));
      return [{ fresh, asked: asked.candidates.slice(0, fresh.length).map(candidateKey) }];
    });
    expect(firsts.some(({ fresh }) => fresh.length > 0)).toBe(true);
    for (const { fresh, asked } of firsts) expect(asked).toEqual(fresh);
  });

  it('gives what was dropped on few images another chance before it ends, on more of them', () => {
    const asks = run(grid, 60_000).map(ask);
    const chances = asks.filter((asked, i) => {
      const previous = asks[i - 1];
      if (asked.kind === 'done' || previous?.kind !== 'measure' || asked.samples <= 20) return false;
      const before = new Set(previous.candidates.map(candidateKey));
      return asked.candidates.every((candidate) => !before.has(candidateKey(candidate)));
    });
    expect(chances.map((asked) => (asked.kind === 'done' ? 0 : asked.samples))).toEqual(
      expect.arrayContaining([40, 80]),
    );
  });

  it('leaves out each layer of the best of the grid once, and goes on without those that do nothing or only harm', () => {
    const states = run(grid, 30_000, measureLayers);
    const probing = states.filter(({ phase }) => phase === 'layers');
    expect(probing).toHaveLength(1);
    const [best, ...drops] = probing[0]?.alive ?? [];
    expect(drops.length).toBeGreaterThanOrEqual(3);
    expect(best).toEqual(chooseWinner(probing.flatMap(wholeTrials))?.trial.candidate);
    const last = states.at(-1);
    const winner = last === undefined ? undefined : chooseWinner(wholeTrials(last));
    expect(winner?.certainty).not.toBe('missed');
    expect(winner?.trial.layers.filter(({ name }) => !name.endsWith('erasing'))).toEqual([]);
  });

  it('keeps to its budget where layers are left out, and leaves none out where it cannot be paid', () => {
    for (const budget of [leastBudget(validation), 1000, 2000, 5000, 12_000]) {
      const last = run(grid, budget, measureLayers).at(-1);
      expect(last?.spent).toBeLessThanOrEqual(budget);
    }
    const poor = run(grid, leastBudget(validation), measureLayers);
    expect(poor.every(({ phase }) => phase !== 'layers')).toBe(true);
  });

  it('says what leaving out each layer would have cost where that cannot be paid, and nothing where it was done', () => {
    const poor = run(grid, 1000, measureLayers);
    const at = poor.find(({ unpaidLayers }) => unpaidLayers !== undefined);
    const unpaid = at?.unpaidLayers;
    const best = at === undefined ? undefined : chooseWinner(wholeTrials(at))?.trial;
    expect(unpaid?.layers).toBe(best?.layers.length);
    expect(unpaid?.images).toBe((unpaid?.layers ?? 0) * imagesOf(validation, 20));
    expect(unpaid?.images).toBeGreaterThan((unpaid?.left ?? 0) / 2);
    expect(poor.at(-1)?.unpaidLayers).toEqual(unpaid);
    expect(run(grid, 30_000, measureLayers).at(-1)?.unpaidLayers).toBeUndefined();
  });

  it('goes on from a stored state as if it had not stopped', () => {
    const states = run(grid, 5000);
    const [middle] = states.slice(Math.floor(states.length / 2));
    const asked = middle === undefined ? undefined : ask(middle);
    if (middle === undefined || asked?.kind !== 'measure') throw new Error('the search is over');
    const measured = asked.candidates.map((candidate) => measure(candidate, asked.samples));
    expect(next(JSON.parse(JSON.stringify(middle)) as SearchState, measured)).toEqual(next(middle, measured));
  });

  it('does not measure a candidate twice on the same images', () => {
    const seen = new Set<string>();
    for (const state of run(grid, 20_000, measureLayers)) {
      const asked = ask(state);
      if (asked.kind === 'done') continue;
      // What layers were left out of is compared with on images that are there.
      const fresh = state.phase === 'layers' ? asked.candidates.slice(1) : asked.candidates;
      for (const candidate of fresh) {
        const key = `${candidateKey(candidate)} ${asked.samples}`;
        expect(seen.has(key)).toBe(false);
        seen.add(key);
      }
    }
  });

  it('asks for no candidate twice where two moves come to the same', () => {
    const sites = [{ site: 'text', skillRatio: 1, selection: 'specific', margin: 1.03 }] as const;
    const close = (concept: string) => ({ concept, mask: { selectRatio: 0.5, sites } });
    const catIsShort = (candidate: Candidate, samples: number): Trial => ({
      ...measure(candidate, samples),
      standings: requirements.map((requirement, i) => {
        const share = i === 0 ? 0.5 : 1;
        return { requirement, hits: share * samples, of: samples, expected: share };
      }),
    });
    const states = run([{ against: 'retain', masks: concepts.map(close) }], 5000, catIsShort);
    const rounds = states.flatMap((state) => (ask(state).kind === 'done' ? [] : [state.alive.map(candidateKey)]));
    expect(rounds.some((keys) => keys.length > 1)).toBe(true);
    for (const keys of rounds) expect(new Set(keys).size).toBe(keys.length);
  });

  it('tries first what it is given before the grid, all of it if the budget goes as far', () => {
    const own = [candidateOf(0.011), candidateOf(0.012)];
    expect(startSearch(own, grid, validation, leastBudget(validation)).alive).toEqual(own.slice(0, 1));
    expect(startSearch(own, grid, validation, 3 * leastBudget(validation)).alive.slice(0, 2)).toEqual(own);
    expect(startSearch(own, grid, validation, 30_000).alive.slice(2)).toEqual(
      startSearch([], grid, validation, 30_000).alive.slice(0, -2),
    );
  });

  it('counts what masks do by themselves where a candidate is measured on all images, and only there', () => {
    expect(imagesBefore(validation)).toBe(160);
    expect([20, 40, 79, 80, Infinity].map((samples) => imagesOf(validation, samples))).toEqual([
      60, 120, 159, 280, 280,
    ]);
    expect(leastBudget(validation)).toBe(160 + 280);
  });

  it('tries one candidate with the least budget, and none with less', () => {
    expect(startSearch([], grid, validation, leastBudget(validation)).alive).toHaveLength(1);
    expect(startSearch([], grid, validation, leastBudget(validation) - 1).alive).toHaveLength(0);
  });
});

describe('grid', () => {
  it('has every combination once', () => {
    const grid = gridOf(limits, concepts);
    // Ratios: 3 of ffn2 alone, 3 · 2 of both; rules: reference, or contrast with 2 margins and 2 comparisons; 2 select ratios.
    expect(grid).toHaveLength((3 + 6) * (1 + 2 * 2) * 2);
    expect(new Set(grid.map(candidateKey)).size).toBe(grid.length);
  });

  it('gives what is specific a margin for each site, and no budget', () => {
    const grid = gridOf({ ...limits, selections: ['specific'] }, concepts);
    // Margins: 2 of ffn2, 1 of attn-value; 2 comparisons; 2 select ratios.
    expect(grid).toHaveLength((2 + 2) * 2 * 2);
    for (const { masks } of grid)
      for (const { mask } of masks)
        for (const { site, skillRatio, margin } of mask.sites) {
          expect(skillRatio).toBe(1);
          expect(limits.specificMargins[site]).toContain(margin);
        }
  });

  it('is chosen from evenly, and in an order that does not depend on how many are taken', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat({ max: 300 }), (length, most) => {
        const all = Array.from({ length }, (_, i) => i);
        const chosen = spread(all, most);
        expect(new Set(chosen).size).toBe(Math.min(length, most));
        expect(spread(all, most + 1).slice(0, chosen.length)).toEqual(chosen);
      }),
    );
    const chosen = spread(
      Array.from({ length: 90 }, (_, i) => i),
      9,
    );
    for (const third of [0, 30, 60])
      expect(chosen.filter((i) => i >= third && i < third + 30).length).toBeGreaterThan(1);
  });
});

describe('neighbours', () => {
  it('are new, distinct and within bounds', () => {
    fc.assert(
      fc.property(fc.constantFrom(...gridOf(limits, concepts)), fc.constantFrom(5, 40, 80), (candidate, samples) => {
        const found = neighbours(measure(candidate, samples));
        const keys = found.map(candidateKey);
        expect(new Set([...keys, candidateKey(candidate)]).size).toBe(keys.length + 1);
        for (const { masks } of found)
          for (const { mask } of masks) {
            expect(mask.selectRatio).toBeLessThan(1);
            for (const { skillRatio, margin } of mask.sites) {
              expect(skillRatio).toBeGreaterThan(0);
              expect(skillRatio).toBeLessThanOrEqual(1);
              expect(margin).toBeGreaterThanOrEqual(0);
            }
          }
      }),
    );
  });
});
