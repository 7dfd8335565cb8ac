const size = 624;
const middle = 397;

/**
 * The Mersenne twister, 32-bit words, seeded by one word. Matsumoto and Nishimura, "Mersenne Twister: A
 * 623-Dimensionally Equidistributed Uniform Pseudo-Random Number Generator" (1998), with the initialisation of 2002;
 * torch's is ATen/core/MT19937RNGEngine.h.
 */
export class Mt19937 {
  readonly #state = new Uint32Array(size);
  /** Index of the next word; at `size` the state has to be renewed first. */
  #next = size;

  /** @param seed taken modulo 2³² */
  constructor(seed: number) {
    const state = this.#state;
    let word = seed >>> 0;
    state[0] = word;
    for (let i = 1; i < size; i++) {
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + i) >>> 0;
      state[i] = word;
    }
  }

  /** The next word, an integer in [0, 2³²). */
  next(): number {
    if (this.#next === size) this.#renew();
    let y = this.#state[this.#next++] ?? 0;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** Leaves out `count` words: what as many calls of next() would leave, but faster. */
  skip(count: number): void {
    let left = count;
    while (left > size - this.#next) {
      left -= size - this.#next;
      this.#renew();
    }
    this.#next += left;
  }

  #renew(): void {
    const state = this.#state;
    let word = state[0] ?? 0;
    for (let i = 0; i < size; i++) {
      const following = state[i + 1 < size ? i + 1 : 0] ?? 0;
      const mixed = (word & 0x80000000) | (following & 0x7fffffff);
      const far = state[i < size - middle ? i + middle : i + middle - size] ?? 0;
      state[i] = far ^ (mixed >>> 1) ^ (-(following & 1) & 0x9908b0df);
      word = following;
    }
    this.#next = 0;
  }
}
