import { expect, it } from 'vitest';
import { age } from './age.ts';

it.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [7_199, '119m'],
  [7_200, '2h'],
  [47 * 3600, '47h'],
  [48 * 3600, '2d'],
  [400 * 86_400, '400d'],
  [-5, '0s'],
])('an age of %i s is %s', (seconds, text) => {
  const now = 1_700_000_000_000;
  expect(age(now - seconds * 1000, now)).toBe(text);
});

it('is empty where nobody knows it', () => {
  expect(age(undefined, 5)).toBe('');
  expect(age(0, 5)).toBe('');
});
