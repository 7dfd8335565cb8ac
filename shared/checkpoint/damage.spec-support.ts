import fc from 'fast-check';
import { expect } from 'vitest';
import { LetheError } from '../error/lethe-error.ts';

/**
 * Holds a format to its canonical form: a good file, one byte of it changed at a time, is refused with a code, or is another
 * file whose value is written as these very bytes.
 */
export function expectDamageRefused(good: Uint8Array, rewrite: (bytes: Uint8Array) => Uint8Array): void {
  fc.assert(
    fc.property(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bytes = good.slice();
      bytes[at] = bytes[at]! ^ flip;
      try {
        expect(rewrite(bytes)).toEqual(bytes);
      } catch (error) {
        if (!(error instanceof LetheError)) throw error;
      }
    }),
  );
}
