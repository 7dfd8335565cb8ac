import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareOf, shortfall, standardError, worstOf } from './standing.ts';
import { mostPromisingFirst, chooseWinner, tradeOffFront, type Trial } from './trial.ts';
import { candidateOf, requirements, trials } from './tuning.spec-support.ts';

/** Trials of one requirement each side, of so many images. */
function trial(pruned: number, erased: number, kept: number, of = 100): Trial {
  const hits = [erased, erased, kept];
  const standings = requirements.map((requirement, i) => ({
    requirement,
    hits: hits[i] ?? 0,
    of,
    expected: (hits[i] ?? 0) / of,
  }));
  return { candidate: candidateOf(pruned / 1000), pruned, standings, samples: of, layers: [] };
}

describe('tradeOffFront', () => {
  it('leaves out exactly what another beats, and is never empty', () => {
    fc.assert(
      fc.property(trials, (all) => {
        const point = ({ pruned, standings }: Trial) =>
          [
            -pruned,
            ...(['erased', 'kept'] as const).map((kind) => shareOf(worstOf(standings, kind) ?? never)),
          ] as const;
        const beats = (a: Trial, b: Trial) => {
          const [one, other] = [point(a), point(b)];
          return one.every((value, i) => value >= (other[i] ?? 0)) && String(one) !== String(other);
        };
        const front = tradeOffFront(all);
        expect(front.length).toBeGreaterThan(0);
        for (const each of all) expect(front.includes(each)).toBe(!all.some((other) => beats(other, each)));
      }),
    );
  });
});

describe('chooseWinner', () => {
  it('takes the smallest of those that meet everything with room', () => {
    expect(chooseWinner([trial(30, 99, 99), trial(20, 99, 99), trial(10, 91, 91)])).toMatchObject({
      trial: { pruned: 20 },
      certainty: 'with room',
    });
  });

  it('wants more room of a smaller sample', () => {
    expect(chooseWinner([trial(10, 94, 94)])?.certainty).toBe('with room');
    expect(chooseWinner([trial(10, 19, 19, 20)])?.certainty).toBe('on the sample');
  });

  it('takes the likeliest of those that only just meet it, and else says that none does', () => {
    expect(chooseWinner([trial(10, 90, 90), trial(20, 91, 92)])).toMatchObject({
      trial: { pruned: 20 },
      certainty: 'on the sample',
    });
    expect(chooseWinner([trial(10, 50, 99), trial(20, 80, 89)])).toMatchObject({
      trial: { pruned: 20 },
      certainty: 'missed',
    });
    expect(chooseWinner([])).toBeUndefined();
  });

  it('never takes one that misses where another meets it, nor a larger one that meets it as surely', () => {
    fc.assert(
      fc.property(trials, (all) => {
        const winner = chooseWinner(all);
        const meets = (each: Trial, errors: number) => shortfall(each.standings, errors) === 0;
        if (all.some((each) => meets(each, 0))) expect(winner && meets(winner.trial, 0)).toBe(true);
        if (winner?.certainty === 'with room')
          for (const each of all) if (meets(each, 1)) expect(winner.trial.pruned).toBeLessThanOrEqual(each.pruned);
      }),
    );
  });

  it('does not depend on the order of the trials', () => {
    fc.assert(
      fc.property(trials, (all) => {
        const [one, other] = [chooseWinner(all), chooseWinner(all.toReversed())];
        expect(one?.certainty).toBe(other?.certainty);
        expect(one?.trial.pruned).toBe(other?.trial.pruned);
      }),
    );
  });
});

describe('standing', () => {
  it('takes what is recognised only after pruning for no more than all', () => {
    const [requirement = never.requirement] = requirements;
    expect(shareOf({ requirement, hits: 12, of: 10 })).toBe(1);
    expect(shareOf({ requirement, hits: 0, of: 0 })).toBe(0);
    expect(standardError({ requirement, hits: 10, of: 10 })).toBeGreaterThan(0.05);
  });

  it('is the worst of its side with all masks active, whatever a mask does by itself', () => {
    const [ua = never.requirement] = requirements;
    const byItself = { ...ua, name: `${ua.name} alone`, alone: 'cat' };
    const standings = [
      { requirement: byItself, hits: 1, of: 10, expected: 0.1 },
      { requirement: ua, hits: 8, of: 10, expected: 0.8 },
    ];
    expect(worstOf(standings, 'erased')?.requirement).toEqual(ua);
    expect(worstOf(standings.slice(0, 1), 'erased')).toBeUndefined();
  });

  it('ranks what misses less first, then what is smaller', () => {
    const sorted = mostPromisingFirst([trial(5, 80, 99), trial(30, 95, 95), trial(20, 95, 95)]);
    expect(sorted.map(({ pruned }) => pruned)).toEqual([20, 30, 5]);
  });
});

const never = { requirement: { name: '', side: { kind: 'kept' as const }, least: 0 }, hits: 0, of: 0, expected: 0 };

describe('mostPromisingFirst', () => {
  it('prefers room to a smaller mask where a few images meet everything, and then the smaller one', () => {
    const all = [trial(10, 91, 91), trial(30, 97, 97), trial(20, 92, 92), trial(25, 97, 97)];
    expect(mostPromisingFirst(all).map(({ pruned }) => pruned)).toEqual([25, 30, 20, 10]);
  });
});
