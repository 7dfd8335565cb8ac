import { expect, it } from 'vitest';
import { z } from 'zod';
import { refusal } from '../checkpoint/fixture.spec-support.ts';
import { count, list, processSettings } from './process-settings.ts';

const schema = z.object({
  nats: z.string().min(1).transform(list),
  slots: count.min(1).max(16).default(2),
  'metrics-port': count.optional(),
  'log-level': z.enum(['debug', 'info']).default('info'),
});

const settings = (args: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  processSettings('worker', schema, args, environment);

it('takes flags before the environment, and the environment before defaults', () => {
  const environment = { LETHE_NATS: 'a:1, b:2,', LETHE_SLOTS: '3', LETHE_METRICS_PORT: '9', LETHE_OTHER: 'x' };
  expect(settings(['--slots', '4'], environment)).toEqual({
    nats: ['a:1', 'b:2'],
    slots: 4,
    'metrics-port': 9,
    'log-level': 'info',
  });
  expect(settings(['--slots=4', '--slots', '5', '--nats', 'c'], environment)).toMatchObject({ slots: 5, nats: ['c'] });
});

it('takes an empty variable as not set', () => {
  const environment = { LETHE_NATS: 'a', LETHE_SLOTS: '', LETHE_METRICS_PORT: '' };
  expect(settings([], environment)).toEqual({ nats: ['a'], slots: 2, 'log-level': 'info' });
});

it('names every setting that is wrong, as it was given, and the process', async () => {
  const refused = await refusal(() =>
    settings(['--slotz', '1', '--log-level', 'loud', 'more'], { LETHE_SLOTS: 'many' }),
  );
  expect(refused).toMatch(/^usage: cannot start the worker: .* -> .*worker\/run\/worker-settings\.ts/);
  for (const part of [
    '--slotz: there is no such setting; did you mean --slots?',
    'more: it is no flag',
    'LETHE_SLOTS: ',
    '--log-level: ',
    '--nats: ',
  ])
    expect(refused).toContain(part);
});

it.each([
  [['--nats', 'a', '--slots', '-1'], '--slots: its value is missing; one that begins with - is given as --slots='],
  [['--nats', 'a', '--slots=-1'], '--slots: Too small'],
  [['--nats', 'a', '--slots'], '--slots: its value is missing'],
  [['--nats', 'a', '-s', '1'], '-s: there is no such setting'],
  [['--nats='], '--nats: Too small'],
])('refuses %j', async (args, reason) => {
  const refused = await refusal(() => settings(args));
  expect(refused).toContain(reason);
  expect(refused.split('--slots:').length).toBeLessThan(3);
});
