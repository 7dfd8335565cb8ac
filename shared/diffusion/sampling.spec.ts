import { describe, expect, it } from 'vitest';
import { checkSampling, rowsOf, type Sampling } from './sampling.ts';

const sampling: Sampling = { scheduler: 'pndm', steps: 50, guidance: 7.5, height: 64, width: 48 };

describe('sampling settings', () => {
  it.each([
    [7.5, 2],
    [1.01, 2],
    [1, 1],
    [0, 1],
    [-3, 1],
  ])('guidance %d takes %d rows a trajectory, as diffusers', (guidance, rows) => {
    expect(rowsOf({ ...sampling, guidance })).toBe(rows);
  });

  it.each([{ height: 1, width: 2048 }, { guidance: 0 }, { guidance: -1 }, { guidance: 1000 }])(
    'accepts %o',
    (changes) => {
      expect(() => {
        checkSampling({ ...sampling, ...changes });
      }).not.toThrow();
    },
  );

  it.each([
    { guidance: NaN },
    { guidance: Infinity },
    { height: 0 },
    { width: -8 },
    { width: 2.5 },
    { height: 2049 },
    { height: NaN },
  ])('refuses %o', (changes) => {
    expect(() => {
      checkSampling({ ...sampling, ...changes });
    }).toThrow(expect.objectContaining({ code: 'sampling-invalid', isInput: true }));
  });
});
