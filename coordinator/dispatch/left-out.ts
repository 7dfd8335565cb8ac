import { type Candidate, type Need, obstacle } from './choose-worker.ts';

/** A worker that cannot run something, and why. */
export interface LeftOut {
  readonly worker: string;
  readonly reason: string;
}

/** A worker as it is told of to people. */
export type Listed = Pick<Candidate, 'worker' | 'capabilities'> & {
  readonly draining: boolean;
  /** Why it is suspended; empty if it is not. */
  readonly suspended: string;
};

/** The workers that take no unit with this need, in their order. */
export function leftOut(workers: readonly Listed[], need: Need): readonly LeftOut[] {
  return workers.flatMap(({ worker, capabilities, draining, suspended }) => {
    const reason =
      suspended !== ''
        ? `it is suspended: ${suspended}`
        : (obstacle(capabilities, need) ?? (draining ? 'it is draining' : undefined));
    return reason === undefined ? [] : [{ worker, reason }];
  });
}
