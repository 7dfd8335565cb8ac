import { describe, expect, it } from 'vitest';
import { LetheError } from '../../../shared/error/lethe-error.ts';
import { checkGeneratorState, maxWords } from './generator-state.ts';

const good = { seed: '42', words: 12, nextNormal: -0.25 };

function refusal(state: unknown): LetheError {
  try {
    checkGeneratorState(state);
  } catch (error) {
    if (error instanceof LetheError) return error;
  }
  expect.unreachable('the state was accepted');
}

describe('checkGeneratorState', () => {
  it.each([
    good,
    { seed: '0', words: 0, nextNormal: null },
    { seed: '18446744073709551615', words: maxWords, nextNormal: 8.57 },
  ])('accepts %j', (state) => {
    expect(checkGeneratorState(state)).toEqual(state);
  });

  it.each([
    ['state', null],
    ['state', '42'],
    ['state', { ...good, more: 1 }],
    ['state.seed', { ...good, seed: 42 }],
    ['state.seed', { ...good, seed: '-1' }],
    ['state.seed', { ...good, seed: '042' }],
    ['state.seed', { ...good, seed: '1e3' }],
    ['state.seed', { ...good, seed: '' }],
    ['state.seed', { ...good, seed: '18446744073709551616' }],
    ['state.seed', { ...good, seed: '9'.repeat(100) }],
    ['state.words', { ...good, words: -1, nextNormal: null }],
    ['state.words', { ...good, words: 1.5 }],
    ['state.words', { ...good, words: maxWords + 1 }],
    ['state.words', { ...good, words: undefined }],
    ['state.nextNormal', { seed: '42', words: 12 }],
    ['state.nextNormal', { ...good, nextNormal: NaN }],
    ['state.nextNormal', { ...good, nextNormal: 9 }],
    ['state.nextNormal', { ...good, words: 3 }],
  ])('refuses a wrong %s: %j', (where, state) => {
    const error = refusal(state);
    expect(error.code).toBe('trajectory-invalid');
    expect(error.where).toBe(where);
  });

  it('names every part that is wrong', () => {
    expect(refusal({ seed: 1, words: -1, nextNormal: null }).where).toBe('state.seed, state.words');
  });
});
