import { LetheError } from '../../../shared/error/lethe-error.ts';
import { checkGeneratorState, maxWords, type GeneratorState } from './generator-state.ts';
import { Mt19937 } from './mt19937.ts';
import { normalPair, uniform53 } from './normal-scalar.ts';
import { blockSize, normalBlock, uniform24 } from './normal-vector.ts';

/**
 * torch's CPU generator: `torch.Generator().manual_seed(seed)`, as far as `torch.randn` in float32 goes. Any sequence
 * of draws gives the same bits as torch on x86 with AVX2 (compared with torch 2.13).
 */
export class TorchGenerator {
  readonly #seed: bigint;
  readonly #engine: Mt19937;
  #words = 0;
  #nextNormal: number | null = null;

  /**
   * @param seed what manual_seed accepts: -2⁶³ to 2⁶⁴ - 1, negative ones counted from 2⁶⁴. As in torch, only its low
   *   32 bits choose the numbers.
   * @throws LetheError `sampling-invalid` if it is out of range, or not an integer, or a number too large to be exact
   */
  constructor(seed: bigint | number) {
    this.#seed = unsignedSeed(seed);
    this.#engine = new Mt19937(Number(this.#seed & 0xffffffffn));
  }

  /**
   * A generator that goes on where the one that gave `state` stood.
   * @throws LetheError `trajectory-invalid` if no generator can be in that state
   */
  static restore(state: GeneratorState): TorchGenerator {
    const { seed, words, nextNormal } = checkGeneratorState(state);
    const generator = new TorchGenerator(BigInt(seed));
    generator.#engine.skip(words);
    generator.#words = words;
    generator.#nextNormal = nextNormal;
    return generator;
  }

  /** Where this generator stands now; later draws do not change it. */
  state(): GeneratorState {
    return { seed: this.#seed.toString(), words: this.#words, nextNormal: this.#nextNormal };
  }

  /**
   * `torch.randn(shape, generator=…)` for any shape of `count` elements, row-major. Drawing in parts is not drawing at
   * once: torch makes fewer than 16 values one by one in float64 and more of them in vectors, and so does this.
   * @throws LetheError `sampling-invalid` if count is not a natural number, or takes the generator past its last word
   */
  randn(count: number): Float32Array {
    this.#reserve(count);
    const values = new Float32Array(count);
    if (count < blockSize) this.#fillSingly(values);
    else this.#fillBlocks(values);
    return values;
  }

  /** `normal_kernel` in ATen/native/cpu/DistributionTemplates.h, fewer than 16 values. */
  #fillSingly(values: Float32Array): void {
    for (let i = 0; i < values.length; i++) values[i] = this.#normal() + 0; // + 0: the mean, so no negative zero
  }

  /** `normal_fill` in ATen/native/cpu/DistributionTemplates.h. */
  #fillBlocks(values: Float32Array): void {
    const { length } = values;
    this.#fillUniform(values, 0);
    for (let start = 0; start + blockSize <= length; start += blockSize) normalBlock(values, start);
    if (length % blockSize === 0) return;
    // What is left over is too short for a block: the last 16 values, some of them done, are made anew.
    const tail = length - blockSize;
    this.#fillUniform(values, tail);
    normalBlock(values, tail);
  }

  #fillUniform(values: Float32Array, start: number): void {
    for (let i = start; i < values.length; i++) values[i] = uniform24(this.#engine.next());
    this.#words += values.length - start;
  }

  #normal(): number {
    const kept = this.#nextNormal;
    if (kept !== null) {
      this.#nextNormal = null;
      return kept;
    }
    const u1 = this.#uniform53();
    const { now, later } = normalPair(u1, this.#uniform53());
    this.#nextNormal = later;
    return now;
  }

  #uniform53(): number {
    const high = this.#engine.next();
    this.#words += 2;
    return uniform53(high, this.#engine.next());
  }

  #reserve(count: number): void {
    if (!Number.isInteger(count) || count < 0) {
      throw new LetheError('sampling-invalid', {
        what: 'cannot draw noise',
        why: `the number of values is ${count}, not a natural number`,
        next: 'give sizes that are whole numbers',
      });
    }
    // At most: one word a value and 16 for the tail; below 16 values, four for each two.
    const needed = count + 2 * blockSize;
    if (this.#words + needed > maxWords) {
      throw new LetheError('sampling-invalid', {
        what: 'cannot draw noise',
        why: `${count} more values after ${this.#words} words pass the ${maxWords} words of one generator`,
        next: 'use fewer steps, a smaller size, or one generator an image',
      });
    }
  }
}

function unsignedSeed(seed: bigint | number): bigint {
  const exact = typeof seed === 'bigint' || Number.isSafeInteger(seed);
  const integer = exact ? BigInt(seed) : undefined;
  if (integer !== undefined && integer >= -(2n ** 63n) && integer < 2n ** 64n) return BigInt.asUintN(64, integer);
  throw new LetheError('sampling-invalid', {
    what: 'cannot seed the noise generator',
    why: exact ? `${seed} is not between -2^63 and 2^64 - 1` : `${seed} is not an integer below 2^53 in magnitude`,
    next: exact ? 'choose a seed in that range' : 'choose an integer, a large one as a bigint',
  });
}
