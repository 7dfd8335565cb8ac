import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { table } from './table.ts';

const rows = [
  ['campaign', 'state', 'done', 'why'],
  ['emoji-demo-0123456789abcdef', 'active', 1234, 'a reason that is rather long and says a lot of things'],
  ['日本語', 'waits', 5, ''],
];
const at = (columns: number | undefined, kept: readonly string[] = []) => table(rows, kept, { columns, unicode: true });

describe('table', () => {
  it('aligns columns by what a terminal shows', () => {
    expect(at(undefined)).toBe(`campaign                     state    done  why
emoji-demo-0123456789abcdef  active  1,234  a reason that is rather long and says a lot of things
日本語                       waits       5`);
  });

  it('shortens the longest text first, then leaves columns out from the right, and never shortens a number', () => {
    expect(at(80)).toBe(`campaign                     state    done  why
emoji-demo-0123456789abcdef  active  1,234  a reason that is rather long and sa…
日本語                       waits       5`);
    expect(at(40, ['done'])).toBe(`campaign                   state    done
emoji-demo-0123456789abc…  active  1,234
日本語                     waits       5`);
    expect(at(26, ['done'])).toBe(`campaign              done
emoji-demo-0123456…  1,234
日本語                   5`);
  });

  it('fits 60 to 200 columns', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 80 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, fc.nat(), cell), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 60, max: 200 }),
        (cells, columns) => {
          const text = table([['a', 'b', 'c', 'd'], ...cells], ['b'], { columns, unicode: true });
          for (const line of text.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });
});
