import { expect, it } from 'vitest';
import { busAddressOf, coordinatorSettings } from './coordinator-settings.ts';

it('is told where NATS is, as whom it goes there, and what it trusts', () => {
  const address = (...args: readonly string[]) =>
    busAddressOf(coordinatorSettings(['--nats', 'a:1,b:2', '--name', 'c1', ...args], {}));
  const bare = { servers: ['a:1', 'b:2'], clientName: 'coordinator c1' };
  expect(address()).toEqual(bare);
  expect(address('--nats-token', 't', '--nats-user', 'u')).toEqual({
    ...bare,
    credentials: { kind: 'token', token: 't' },
  });
  expect(address('--nats-user', 'u', '--nats-password', 'p', '--nats-authority', 'ca.pem')).toEqual({
    ...bare,
    credentials: { kind: 'user', user: 'u', password: 'p' },
    tls: { caFile: 'ca.pem' },
  });
});

it('refuses what is wrong, all of it at once', () => {
  const start = () => coordinatorSettings(['--replicas', '2', '--lease', '10'], { LETHE_METRICS_PORT: '99999' });
  expect(start).toThrow(expect.objectContaining({ code: 'usage', what: 'cannot start the coordinator' }));
  expect(start).toThrow(/--nats: .*--replicas: .*--lease: .*LETHE_METRICS_PORT: /);
});

it.each(['a\nb', 'a\u001b[2J', 'a\u009b', 'a\u202eb', ''])('refuses the name %j at the start', (name) => {
  expect(() => coordinatorSettings(['--nats', 'a:1', `--name=${name}`], {})).toThrow(
    expect.objectContaining({ code: 'usage', why: expect.stringContaining('--name: ') as string }),
  );
});
