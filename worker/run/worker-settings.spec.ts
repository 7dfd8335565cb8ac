import { expect, it } from 'vitest';
import { workerSettings } from './worker-settings.ts';

it('takes flags before the environment, and the environment before defaults', () => {
  const environment = { LETHE_COORDINATOR: 'a:1, b:2', LETHE_SLOTS: '3', LETHE_METRICS_PORT: '9' };
  const settings = workerSettings(['--slots', '4', '--checkpoint', '/a,/b'], environment);
  expect(settings).toMatchObject({
    coordinator: ['a:1', 'b:2'],
    checkpoint: ['/a', '/b'],
    slots: 4,
    'metrics-port': 9,
    provider: 'cpu',
    threads: 1,
    insecure: false,
  });
});

it('refuses what is wrong, all of it at once', () => {
  const start = () => workerSettings(['--slots', 'many', '--provider', 'abacus'], {});
  expect(start).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(start).toThrow(/--coordinator.*--provider.*--slots/);
  expect(() => workerSettings(['--nonsense'], {})).toThrow(expect.objectContaining({ code: 'usage' }));
});

it.each(['a\nb', 'a\u001b[2J', 'a\u009b', 'a\u202eb', ''])('refuses the name %j at the start', (name) => {
  expect(() => workerSettings(['--coordinator', 'a:1', `--name=${name}`], {})).toThrow(
    expect.objectContaining({ code: 'usage', why: expect.stringContaining('--name: ') as string }),
  );
});
