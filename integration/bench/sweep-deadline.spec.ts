import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { Fleet } from '../fleet-processes/fleet.ts';
import { withinTime } from './sweep-deadline.ts';

it('ends a sweep that hangs, names it, and keeps the logs of its processes', async () => {
  const fleet = await Fleet.start({ coordinator: [], worker: [] });
  try {
    await fleet.coordinator('c1');
    const never = new Promise<never>(() => undefined);
    const error = await withinTime(never, '10 styles by 2 workers', fleet, 1).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(LetheError);
    const { code, what, where = '' } = error as LetheError;
    expect([code, what]).toEqual(['fleet-failed', 'the sweep of 10 styles by 2 workers does not end']);
    expect(await readFile(join(where, 'c1.log'), 'utf8')).toContain('"msg":"listening"');
    expect(await readFile(join(where, 'nats.log'), 'utf8')).toContain('Server is ready');
    await rm(where, { recursive: true });
    expect(await withinTime(Promise.resolve(7), 'x', fleet, 60_000)).toBe(7);
    await expect(withinTime(Promise.reject(new Error('lost')), 'x', fleet, 60_000)).rejects.toThrow('lost');
  } finally {
    await fleet.stop();
  }
});
