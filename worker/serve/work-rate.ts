/** Share of the newest batch in the average: it follows a change of load within a few batches. */
const weight = 0.3;

/** A caller is never told to stay away longer, in seconds: the estimate is of the work that is known now. */
const longest = 600;

/** Seconds an image takes, as the last batches showed: a moving average. */
export class WorkRate {
  /** Before anything was measured. */
  #secondsAnImage = 1;
  #measured = false;

  add(images: number, seconds: number): void {
    const found = seconds / images;
    this.#secondsAnImage = this.#measured ? weight * found + (1 - weight) * this.#secondsAnImage : found;
    this.#measured = true;
  }

  /** Whole seconds until so many images are made, at least 1: what Retry-After says. */
  seconds(images: number): number {
    return Math.min(longest, Math.max(1, Math.ceil(images * this.#secondsAnImage)));
  }
}
