import { describe, expect, it } from 'vitest';
import { LetheError } from './lethe-error.ts';

describe('LetheError', () => {
  it('says what failed, where and why in its message, and keeps the cause', () => {
    const cause = new Error('ENOENT');
    const error = new LetheError('checkpoint-layout', {
      what: 'cannot open the checkpoint',
      where: 'model_index.json',
      why: 'there is no such file',
      next: 'name the directory that holds model_index.json',
      cause,
    });
    expect(error.message).toBe('cannot open the checkpoint (model_index.json): there is no such file');
    expect(error.cause).toBe(cause);
    expect(error.isInput).toBe(true);
  });

  it('tells failures of a run from faults of the input', () => {
    const lost = new LetheError('session-lost', { what: 'a', why: 'b', next: 'c' });
    expect(lost.isInput).toBe(false);
  });
});
