import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LetheError } from '../../../shared/error/lethe-error.ts';
import { maxWords, type GeneratorState } from './generator-state.ts';
import { TorchGenerator } from './torch-generator.ts';
import { further, golden } from './torch-generator.vectors.ts';

function drawn(generator: TorchGenerator, counts: readonly number[]): Uint8Array {
  return Buffer.concat(counts.map((count) => new Uint8Array(generator.randn(count).buffer)));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const seed = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });
const count = fc.oneof(fc.nat(20), fc.nat(700));
const counts = fc.array(count, { maxLength: 8 });

describe('TorchGenerator', () => {
  it('starts and ends as torch.randn does, seed 0', () => {
    const few = [...new TorchGenerator(0).randn(5)];
    expect(few).toEqual([1.5409961, -0.2934289, -2.1787894, 0.56843126, -1.0845224].map(Math.fround));
    const many = [...new TorchGenerator(0).randn(1024)];
    expect(many.slice(0, 3)).toEqual([-1.1258398, -1.1523602, -0.25057858].map(Math.fround));
    expect(many.slice(-3)).toEqual([0.5374267, 1.082613, -1.7104684].map(Math.fround));
  });

  it.each(golden)('draws the golden vector of seed %d, lengths %j', (seed, counts, expected) => {
    expect(sha256(drawn(new TorchGenerator(seed), counts))).toBe(expected);
  });

  it.each(further)('draws what torch draws from seed %d, lengths %j', (seed, counts, expected) => {
    expect(sha256(drawn(new TorchGenerator(seed), counts))).toBe(expected);
  });

  it.each([
    [0, '2ee87d717c4f59007b0ce4452225cbcfa6c66e48e3c2b0e673723c810c4a3d5b'],
    [7, '19f83153696be6db7719adbd6751c5c2d2bbe08d19f9202939429eae8e71a2a2'],
    [12345, '78cc4709021ad2ccfd3202ef79976ab5028c5c2a6caaf0a2986f0a78490969fa'],
  ])('draws what torch draws from seed %d, every length from 0 to 200 in turn', (seed, expected) => {
    const lengths = Array.from({ length: 201 }, (_, length) => length);
    expect(sha256(drawn(new TorchGenerator(seed), lengths))).toBe(expected);
  });

  it('goes on the same after its state went through JSON, between any two draws', () => {
    fc.assert(
      fc.property(seed, counts, counts, (seed, before, after) => {
        const generator = new TorchGenerator(seed);
        drawn(generator, before);
        const state = generator.state();
        const text = JSON.stringify(state);
        const expected = drawn(generator, after);
        expect(JSON.stringify(state)).toBe(text); // a value: later draws do not change it
        const restored = TorchGenerator.restore(JSON.parse(text) as GeneratorState);
        expect(drawn(restored, after)).toEqual(expected);
        expect(restored.state()).toEqual(generator.state());
      }),
    );
  });

  it('keeps the second number of a pair across vector draws', () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 16, max: 100 }), (seed, length) => {
        const generator = new TorchGenerator(seed);
        const [first] = generator.randn(1);
        generator.randn(length);
        expect([first, ...generator.randn(1)]).toEqual([...new TorchGenerator(seed).randn(2)]);
      }),
    );
  });

  it('draws no negative zero: torch adds the mean', () => {
    const generator = TorchGenerator.restore({ seed: '0', words: 4, nextNormal: -0 });
    expect(Object.is(generator.randn(1)[0], 0)).toBe(true);
  });

  it('draws whole blocks the same together or one by one', () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 1, max: 50 }), (seed, blocks) => {
        const together = drawn(new TorchGenerator(seed), [16 * blocks]);
        expect(drawn(new TorchGenerator(seed), Array<number>(blocks).fill(16))).toEqual(together);
      }),
    );
  });

  it('counts negative seeds from 2^64 and takes numbers as it takes bigints', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (seed) => {
        const generator = new TorchGenerator(seed);
        expect(generator.state().seed).toBe((seed < 0 ? BigInt(seed) + 2n ** 64n : BigInt(seed)).toString());
        expect(generator.randn(17)).toEqual(new TorchGenerator(BigInt.asUintN(64, BigInt(seed))).randn(17));
      }),
    );
  });

  it.each([2n ** 64n, -(2n ** 63n) - 1n, 1.5, NaN, Infinity, 2 ** 53])('refuses the seed %s', (seed) => {
    expect(() => new TorchGenerator(seed)).toThrow(
      expect.objectContaining({ code: 'sampling-invalid' } satisfies Partial<LetheError>),
    );
  });

  it.each([-1, 2.5, NaN, Infinity, maxWords])('refuses to draw %d values, and stays as it was', (count) => {
    const generator = new TorchGenerator(3);
    generator.randn(1);
    const before = generator.state();
    expect(() => generator.randn(count)).toThrow(expect.objectContaining({ code: 'sampling-invalid' }));
    expect(generator.state()).toEqual(before);
  });

  it('refuses a state no generator can be in', () => {
    expect(() => TorchGenerator.restore({ seed: '1', words: -1, nextNormal: null })).toThrow(
      expect.objectContaining({ code: 'trajectory-invalid' }),
    );
  });
});
