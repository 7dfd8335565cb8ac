import type { Candidate } from '../../shared/tuning/candidate.ts';
import { ask, next, type SearchState } from '../../shared/tuning/halving.ts';
import type { Trial } from '../../shared/tuning/trial.ts';

/**
 * Brings a search to its end. Interrupted and run again from its start it takes the same course: what was measured before
 * is stored, and asked for again it costs nothing.
 *
 * @param measure trials of candidates on the first images of every list; on all, of each mask by itself too
 * @param tell of the state before every measurement
 */
export async function runSearch(
  start: SearchState,
  measure: (candidates: readonly Candidate[], samples: number, isWhole: boolean) => Promise<readonly Trial[]>,
  tell: (state: SearchState, candidates: number, samples: number) => void,
): Promise<SearchState> {
  let state = start;
  for (;;) {
    const asked = ask(state);
    if (asked.kind === 'done') return state;
    tell(state, asked.candidates.length, asked.samples);
    state = next(state, await measure(asked.candidates, asked.samples, asked.isWhole));
  }
}
