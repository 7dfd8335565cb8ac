import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';

const plain = fc.jsonValue({ depthSize: 'small', stringUnit: 'grapheme' });

describe('canonicalJson', () => {
  it('says the same as the value', () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('does not depend on the order in which members were set', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), plain), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
      }),
    );
  });

  it('sorts keys by UTF-16 code units and escapes as RFC 8785 does', () => {
    expect(canonicalJson({ '€': 1, '\r': 2, '1': 3, '😀': 4, ö: 5, '\ufb33': 6 })).toBe(
      '{"\\r":2,"1":3,"ö":5,"€":1,"😀":4,"\ufb33":6}',
    );
    expect(canonicalJson([1e21, -0, 0.1, 7.5, 'a"\\\u0001'])).toBe('[1e+21,0,0.1,7.5,"a\\"\\\\\\u0001"]');
  });

  it('takes an absent member and an undefined one for the same', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  it.each([
    ['NaN', { a: [NaN] }, '.a[0]'],
    ['infinity', Infinity, 'the value itself'],
    ['a bigint', { seed: 1n }, '.seed'],
    ['undefined in a list', [undefined], '[0]'],
    ['half a surrogate pair', { prompt: 'a\uD800' }, '.prompt'],
    ['a Map, whose contents JSON would drop', new Map([[1, 2]]), 'the value itself'],
    ['a typed array', { x: new Float32Array(2) }, '.x'],
  ])('refuses %s', (_, value, where) => {
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: 'not-canonical', where }));
  });
});
