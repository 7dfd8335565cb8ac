/** Moments that are looked back on. */
const lookBack = 20;

/** Estimates when work is done from how fast it was lately. */
export class RemainingTime {
  readonly #total: number;
  readonly #moments: { readonly done: number; readonly at: number }[] = [];

  constructor(total: number) {
    this.#total = total;
  }

  /** @param now seconds from some fixed moment. @returns seconds that are left; undefined as long as nothing tells. */
  at(done: number, now: number): number | undefined {
    if (this.#moments.at(-1)?.done !== done) this.#moments.push({ done, at: now });
    if (this.#moments.length > lookBack) this.#moments.shift();
    const [first] = this.#moments;
    const last = this.#moments.at(-1);
    if (first === undefined || last === undefined || last.done <= first.done) return undefined;
    return ((this.#total - done) * (last.at - first.at)) / (last.done - first.done);
  }
}
