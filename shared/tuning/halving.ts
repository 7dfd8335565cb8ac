import { type Candidate, candidateKey } from './candidate.ts';
import { spread } from './grid.ts';
import { leanCandidates, withoutEachLayer } from './layer-effects.ts';
import { balancing, neighbours } from './neighbours.ts';
import { chooseWinner, mostPromisingFirst, type Trial } from './trial.ts';

/** The validation lists, by their lengths: what a candidate costs at most. */
export interface Validation {
  /** Images of each list; every candidate is measured on the same ones, from the first. */
  readonly lists: readonly number[];
  /** Images more of a candidate that is measured on all of them: what its masks do each by itself. */
  readonly alone: number;
}

/** Where a search is. A value: what it does next follows from it alone. */
export interface SearchState {
  readonly validation: Validation;
  /** Images that may be made, those of the unpruned model included. */
  readonly budget: number;
  readonly spent: number;
  /** Every candidate that was measured, with the most images it got. */
  readonly trials: readonly Trial[];
  /** Candidates of this round that are still in, and the samples of each list that come next. */
  readonly alive: readonly Candidate[];
  readonly rung: number;
  /** Rounds in a row that did not better the best, counted from the round after the layers. */
  readonly idle: number;
  /** What the trials that are asked for are for. */
  readonly phase: Phase;
  /** Set where the layers of the best stayed as they are, since the budget did not pay for leaving each out. */
  readonly unpaidLayers?: UnpaidLayers;
}

/** What leaving out each layer would have cost, in images, and what was left of the budget. */
export interface UnpaidLayers {
  readonly layers: number;
  readonly images: number;
  readonly left: number;
}

/**
 * `grid`: successive halving of the first candidates. `layers`: what each layer of the best does, by leaving it out; the best
 * itself is the first that is asked for. `near`: candidates without the layers that are best left out, and what is near the
 * best from then on.
 */
export type Phase = 'grid' | 'layers' | 'near';

/** What has to be measured next: candidates on the first `samples` of every list. */
export type Ask =
  | {
      readonly kind: 'measure';
      readonly candidates: readonly Candidate[];
      readonly samples: number;
      /** Whether that is all of every list: then what each mask does by itself is measured too. */
      readonly isWhole: boolean;
    }
  | { readonly kind: 'done' };

/** Shares of the validation lists that candidates are measured on, half of them from one to the next. */
const rungs = [1 / 4, 1 / 2, 1];
/**
 * Of the budget for the first round, over the whole grid; the rest goes to which layers count and to what is near the best.
 * On emoji-sd every winner came from the rounds after it (docs/guide/verify-and-tune.md).
 */
const firstShare = 1 / 5;
/** Of what is left then, for leaving out each layer; with less than it costs the layers stay as they are. */
const layersShare = 1 / 2;
/** Candidates of a later round at most. */
const mostOfRound = 12;
/**
 * What a round begins with, after so many rounds that found nothing better: what is near the best; what was dropped at the
 * second rung, then at the first, since a few images tell little of shares near 1; what is near the best and is left.
 */
const rounds = ['near', 'second', 'first', 'near'] as const;

/** Images that a candidate is measured with at so many samples a list. */
export function imagesOf({ lists, alone }: Validation, samples: number): number {
  return lists.reduce((sum, length) => sum + Math.min(length, samples), isWhole(lists, samples) ? alone : 0);
}

function isWhole(lists: Validation['lists'], samples: number): boolean {
  return samples >= Math.max(0, ...lists);
}

/** Images of the unpruned model: what is kept is measured by them. */
export function imagesBefore({ lists }: Validation): number {
  return lists.reduce((sum, length) => sum + length, 0);
}

function samplesAt({ lists }: Validation, rung: number): number {
  return Math.ceil(Math.max(0, ...lists) * (rungs[rung] ?? 1));
}

/** Images of a round of successive halving: every rung adds to what was made before, the first to what the rung below had. */
function roundCost(validation: Validation, candidates: number, from: number): number {
  let [cost, alive, made] = [0, candidates, from === 0 ? 0 : imagesOf(validation, samplesAt(validation, from - 1))];
  for (let rung = from; rung < rungs.length; rung++) {
    const images = imagesOf(validation, samplesAt(validation, rung));
    cost += alive * (images - made);
    made = images;
    alive = Math.ceil(alive / 2);
  }
  return cost;
}

/** As many candidates as a round that begins at a rung can have for so many images; 0 if not one. */
function affordable(validation: Validation, images: number, most: number, from = 0): number {
  let count = most;
  while (count > 0 && roundCost(validation, count, from) > images) count -= 1;
  return count;
}

/** The least budget with which one candidate is measured, beside the images of the unpruned model. */
export function leastBudget(validation: Validation): number {
  return imagesBefore(validation) + imagesOf(validation, Infinity);
}

/**
 * A search that begins with as many of the grid as a fifth of the budget allows.
 *
 * @param first tried before the grid, as far as the budget goes
 * @param grid in a fixed order; the choice is spread over it
 */
export function startSearch(
  first: readonly Candidate[],
  grid: readonly Candidate[],
  validation: Validation,
  budget: number,
): SearchState {
  const spent = imagesBefore(validation);
  const most = first.length + grid.length;
  const usual = affordable(validation, (budget - spent) * firstShare, most);
  const count = Math.max(usual, affordable(validation, budget - spent, Math.max(1, first.length)));
  const alive = [...first, ...spread(grid, most)].slice(0, count);
  return { validation, budget, spent, trials: [], alive, rung: 0, idle: 0, phase: 'grid' };
}

export function ask({ alive, rung, validation }: SearchState): Ask {
  if (alive.length === 0) return { kind: 'done' };
  const samples = samplesAt(validation, rung);
  return { kind: 'measure', candidates: alive, samples, isWhole: isWhole(validation.lists, samples) };
}

/**
 * The state after what was asked for was measured: the better half goes on to more images; after the last rung of the first
 * round it is found out what each layer does; then rounds of what is near the best begin, what was dropped on few images has
 * another chance, until nothing better comes or the budget ends.
 *
 * @param measured a trial for every candidate that was asked for
 */
export function next(state: SearchState, measured: readonly Trial[]): SearchState {
  const { validation, rung, spent, phase } = state;
  if (phase === 'layers') return afterLayers(state, measured);
  const before = rung === 0 ? 0 : imagesOf(validation, samplesAt(validation, rung - 1));
  const made = imagesOf(validation, samplesAt(validation, rung)) - before;
  const after = { ...state, trials: replaced(state.trials, measured), spent: spent + made * measured.length };
  if (rung + 1 < rungs.length) {
    const better = mostPromisingFirst(measured).slice(0, Math.ceil(measured.length / 2));
    return { ...after, alive: better.map(({ candidate }) => candidate), rung: rung + 1 };
  }
  const drops = phase === 'grid' ? layersToLeaveOut(after) : undefined;
  if (drops?.kind === 'paid') return { ...after, alive: drops.candidates, rung: 0, phase: 'layers' };
  const near: SearchState = { ...after, phase: 'near' };
  return nextRound(
    drops === undefined ? near : { ...near, unpaidLayers: drops.unpaid },
    keyOfBest(state) === keyOfBest(after) ? state.idle + 1 : 0,
  );
}

function replaced(trials: readonly Trial[], measured: readonly Trial[]): readonly Trial[] {
  const keys = new Set(measured.map(({ candidate }) => candidateKey(candidate)));
  return [...trials.filter(({ candidate }) => !keys.has(candidateKey(candidate))), ...measured];
}

/** The best, and it without one layer, for each; or what that would cost where it is too much. Undefined if it says nothing. */
function layersToLeaveOut(
  state: SearchState,
):
  | { readonly kind: 'paid'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'unpaid'; readonly unpaid: UnpaidLayers }
  | undefined {
  const { validation, budget, spent } = state;
  const best = chooseWinner(wholeTrials(state))?.trial;
  const drops = best === undefined ? [] : withoutEachLayer(best);
  if (best === undefined || drops.length === 0) return undefined;
  const images = drops.length * imagesOf(validation, samplesAt(validation, 0));
  const left = budget - spent;
  if (images > left * layersShare) return { kind: 'unpaid', unpaid: { layers: drops.length, images, left } };
  // What it is compared with comes first: the best on these images, which are made already.
  return { kind: 'paid', candidates: [best.candidate, ...drops] };
}

function afterLayers(state: SearchState, measured: readonly Trial[]): SearchState {
  const { validation, budget, spent, trials } = state;
  const [whole, ...drops] = measured;
  const after: SearchState = {
    ...state,
    trials: replaced(trials, drops),
    spent: spent + drops.length * imagesOf(validation, samplesAt(validation, 0)),
    phase: 'near',
  };
  const tried = new Set(after.trials.map(({ candidate }) => candidateKey(candidate)));
  const lean = whole === undefined ? [] : leanCandidates(whole, drops).filter((each) => !tried.has(candidateKey(each)));
  const count = affordable(validation, budget - after.spent, lean.length);
  // If none of them is better, what is near the best is still to come.
  return count === 0 ? nextRound(after, 0) : { ...after, alive: spread(lean, count), rung: 0, idle: -1 };
}

function nextRound(state: SearchState, idle: number): SearchState {
  const { validation, budget, spent } = state;
  for (let round = idle; round < rounds.length; round++) {
    const { candidates, rung } = roundOf(state, rounds[round] ?? 'near');
    const count = affordable(validation, budget - spent, Math.min(mostOfRound, candidates.length), rung);
    if (count > 0) return { ...state, alive: candidates.slice(0, count), rung, idle: round };
  }
  return { ...state, alive: [], rung: 0, idle };
}

/** The candidates of a round, the most promising first, and the rung it begins at. */
function roundOf(
  state: SearchState,
  kind: (typeof rounds)[number],
): { readonly candidates: readonly Candidate[]; readonly rung: number } {
  const { validation, trials } = state;
  if (kind === 'near') {
    const best = chooseWinner(wholeTrials(state))?.trial;
    const tried = new Set(trials.map(({ candidate }) => candidateKey(candidate)));
    const near = best === undefined ? [] : neighbours(best);
    // Not of one concept after another alone: those that come last would never be tried.
    const all = [...(best === undefined ? [] : balancing(best)), ...spread(near, near.length)];
    // Close to a margin of 1, or to whole rows, two moves may come to the same.
    const distinct = new Map(all.map((each) => [candidateKey(each), each]));
    return { candidates: [...distinct].flatMap(([key, each]) => (tried.has(key) ? [] : [each])), rung: 0 };
  }
  const rung = kind === 'first' ? 1 : 2;
  const samples = samplesAt(validation, rung - 1);
  const whole = samplesAt(validation, rungs.length - 1);
  const dropped = mostPromisingFirst(trials.filter((trial) => trial.samples === samples && samples < whole));
  return { candidates: dropped.map(({ candidate }) => candidate), rung };
}

/** Trials on all of the validation lists: only these are compared in the end. */
export function wholeTrials({ trials, validation }: SearchState): readonly Trial[] {
  const whole = samplesAt(validation, rungs.length - 1);
  return trials.filter(({ samples }) => samples >= whole);
}

function keyOfBest(state: SearchState): string | undefined {
  const best = chooseWinner(wholeTrials(state));
  return best === undefined ? undefined : candidateKey(best.trial.candidate);
}
