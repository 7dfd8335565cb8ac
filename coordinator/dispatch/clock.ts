/** Time, passed in so that specs own it. */
export interface Clock {
  /** Milliseconds from some fixed moment; never goes back. */
  now(): number;
}

export const systemClock: Clock = { now: () => performance.now() };
