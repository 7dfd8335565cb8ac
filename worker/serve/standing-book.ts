import type { FollowObserver, Standing } from './follow-observer.ts';
import type { Refused } from './judge-published.ts';

/** What a follower serves and what stands against serving more, told to the observer whenever it changes. */
export class StandingBook {
  readonly #observer: FollowObserver;
  #standing: Standing = { served: undefined, seen: undefined, refused: undefined };
  #waiting = 'the published manifest has not been read yet';

  constructor(observer: FollowObserver) {
    this.#observer = observer;
  }

  /** Why there is nothing to serve. */
  get waiting(): string {
    const { refused } = this.#standing;
    return refused === undefined ? this.#waiting : `${refused.reason}: ${refused.why}`;
  }

  nothingPublished(): void {
    this.#waiting = 'no masks have been published for this checkpoint yet';
  }

  away(error: unknown): void {
    this.#waiting = `NATS does not answer: ${error instanceof Error ? error.message : String(error)}`;
    this.#observer.away(error);
  }

  /** The same again is not told again: what is published is read many times. */
  refuse({ reason, why }: Refused, seen: number | undefined): void {
    const { refused } = this.#standing;
    if (refused?.reason === reason && refused.why === why) return;
    this.#observer.refused(reason, why);
    this.#tell({ ...this.#standing, seen, refused: { reason, why } });
  }

  /** What is published is what is served. */
  accept(served: NonNullable<Standing['served']>, seen: number | undefined): void {
    if (this.#standing.refused !== undefined) this.#observer.resolved(served.version);
    this.#tell({ served, seen, refused: undefined });
  }

  /** Seconds since its publication, of what is served. */
  get seconds(): number | undefined {
    return this.#standing.served?.seconds;
  }

  #tell(standing: Standing): void {
    const known = JSON.stringify(this.#standing);
    this.#standing = standing;
    if (JSON.stringify(standing) !== known) this.#observer.standing(standing);
  }
}
