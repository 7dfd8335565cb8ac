import type { ChildProcess } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { partialFromBytes } from '../../shared/fleet/partial-bytes.ts';
import { checkPartial } from '../../shared/statistics/partial.ts';
import { unitHash } from '../../shared/unit/unit.ts';
import type { ApiServer } from '../../coordinator/api/api-server.ts';
import { StableDiffusion } from '../../worker/diffusion/stable-diffusion.ts';
import { observeUnit } from '../../worker/observe/observe-unit.ts';
import { noCalls } from '../../worker/observe/phase.ts';
import { SessionCache } from '../../worker/session/session-cache.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { emojiSd, exitOf, leaseOf, startCoordinator, startWorker } from './fleet.spec-support.ts';

const children: ChildProcess[] = [];
const servers: ApiServer[] = [];

async function fleet(...flags: readonly string[]) {
  const { server, dispatch } = await startCoordinator();
  const child = startWorker(server.address, ...flags);
  children.push(child);
  servers.push(server);
  const worker = await dispatch.ready();
  return { server, dispatch, child, worker, numerics: worker.hello.capabilities.numerics };
}

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await exitOf(child);
  }
  for (const server of servers.splice(0)) server.close();
});

describe('a worker process', () => {
  it('registers, runs a unit, and gives the bits that observeUnit gives', async () => {
    const { dispatch, worker, numerics } = await fleet();
    expect(worker.hello).toMatchObject({ protocol: 1, worker: 'w1', running: [], finished: [] });
    const lease = await leaseOf('t1', numerics, 3);
    expect(worker.hello.capabilities.checkpoints).toEqual([lease.unit.checkpoint]);
    await worker.lease(lease, []);
    const { finished } = await dispatch.event('finished');
    const [bytes = new Uint8Array(), ...states] = await worker.collect(finished);
    worker.forget('t1');

    expect(finished).toMatchObject({ task: 't1', unit: unitHash(lease.unit), steps: 3, items: 4 });
    expect(finished.calls).toEqual({ unetCalls: 12, unetRuns: 3, prompts: 5 });
    const phases = dispatch.events.flatMap((event) => (event.kind === 'progress' ? [event.phase] : []));
    expect(phases).toEqual([
      { kind: 'waiting' },
      { kind: 'encoding' },
      { kind: 'loading' },
      ...[0, 1, 2].map((step) => ({ kind: 'step', step })),
    ]);
    const partial = partialFromBytes(finished, bytes);
    checkPartial(partial, 'w1');

    const thread = new SessionThread();
    const sessions = new SessionCache(thread, { provider: 'cpu', threads: 1 }, 2);
    const model = await StableDiffusion.open(await openCheckpoint(emojiSd), sessions);
    const supervision = { onPhase: () => undefined, signal: new AbortController().signal };
    if (lease.unit.kind === 'image') throw new Error('it is none');
    const own = await observeUnit(model, sessions, lease.unit, ['ffn2'], undefined, noCalls(), supervision);
    expect(partial).toEqual(own.partial);
    expect(states.map((state) => Buffer.from(state))).toEqual(own.states.map((state) => Buffer.from(state)));
    await thread.close();

    // The next window goes on from the states that came back, sent in chunks.
    const { unit } = lease;
    if (unit.kind !== 'denoise') throw new Error('it is one');
    const next = { ...lease, task: 't2', unit: { ...unit, window: { from: 3, to: 4 } }, keepStates: false };
    await worker.lease(next, states);
    const second = await dispatch.event('finished', (event) => event.finished.task === 't2');
    expect(second.finished.calls.unetRuns).toBe(1);
    expect(second.finished.blobs).toHaveLength(1);
  });

  it('is seen to be gone when it is killed mid-unit', async () => {
    const { dispatch, worker, child, numerics } = await fleet();
    await worker.lease(await leaseOf('t1', numerics), []);
    await dispatch.event('progress', ({ phase }) => phase.kind === 'step');
    child.kill('SIGKILL');
    expect((await dispatch.event('gone')).cause.code).toBe('fleet-lost');
    expect(dispatch.events.some(({ kind }) => kind === 'finished')).toBe(false);
    await expect(worker.lease(await leaseOf('t2', numerics), [])).rejects.toMatchObject({ code: 'fleet-lost' });
  });

  it('offers what it has finished to the next coordinator, and keeps it until it is told to forget it', async () => {
    const first = await fleet();
    await first.worker.lease(await leaseOf('t1', first.numerics, 1), []);
    const { finished } = await first.dispatch.event('finished');
    first.server.close();

    const second = await startCoordinator(first.server.address);
    servers.push(second.server);
    const worker = await second.dispatch.ready();
    expect(worker.hello.finished).toEqual([finished]);
    const blobs = await worker.collect(finished);
    expect(blobs.map(({ length }) => length)).toEqual(finished.blobs.map(({ length }) => length));
    worker.forget('t1');
    // Messages are taken in order: this answer means that the one before has arrived.
    const lease = await leaseOf('t2', 'another class');
    await worker.lease(lease, []);
    await second.dispatch.event('handed-back');
    second.server.close();

    const third = await startCoordinator(first.server.address);
    servers.push(third.server);
    expect((await third.dispatch.ready()).hello.finished).toEqual([]);
  });

  it('goes on with a unit while no coordinator hears it, and takes over a new lease of it', async () => {
    const first = await fleet();
    const lease = await leaseOf('t1', first.numerics, 10);
    await first.worker.lease(lease, []);
    await first.dispatch.event('progress', ({ phase }) => phase.kind === 'step');
    first.server.close();

    const { server, dispatch } = await startCoordinator(first.server.address);
    servers.push(server);
    const worker = await dispatch.ready();
    expect([...worker.hello.running, ...worker.hello.finished]).toMatchObject([
      { task: 't1', unit: unitHash(lease.unit) },
    ]);
    await worker.lease({ ...lease, replySubject: '$JS.ACK.t1.2' }, []);
    const { finished } = await dispatch.event('finished', (event) => event.finished.replySubject === '$JS.ACK.t1.2');
    expect(finished.calls.unetRuns).toBe(10);
  });

  it('finishes its unit on SIGTERM, has it committed, and ends with 0', async () => {
    const { dispatch, worker, child, numerics } = await fleet();
    await worker.lease(await leaseOf('t1', numerics, 20), []);
    await worker.lease(await leaseOf('t2', numerics, 3), []);
    await dispatch.event('progress', ({ task, phase }) => task === 't1' && phase.kind === 'step');
    child.kill('SIGTERM');
    await dispatch.event('draining');
    expect(await dispatch.event('handed-back')).toMatchObject({ task: 't2', reason: 'SIGTERM' });
    const { finished } = await dispatch.event('finished');
    await worker.collect(finished);
    worker.forget('t1');
    expect(await exitOf(child)).toBe(0);
    await dispatch.event('gone');
  });

  it('hands its unit back when the grace period is over', async () => {
    const { dispatch, worker, child, numerics } = await fleet('--grace', '0');
    await worker.lease(await leaseOf('t1', numerics), []);
    await dispatch.event('progress', ({ phase }) => phase.kind === 'step');
    child.kill('SIGTERM');
    const { reason, replySubject } = await dispatch.event('handed-back');
    expect(reason).toContain('grace period');
    expect(replySubject).toBe('$JS.ACK.t1.1');
    expect(await exitOf(child)).toBe(0);
  });

  it('stops a unit that is cancelled, and takes another', async () => {
    const { dispatch, worker, numerics } = await fleet();
    await worker.lease(await leaseOf('t1', numerics), []);
    await dispatch.event('progress', ({ phase }) => phase.kind === 'step');
    worker.cancel('t1', 'the campaign is over');
    expect(await dispatch.event('handed-back')).toMatchObject({ task: 't1', reason: 'the campaign is over' });
    await worker.lease(await leaseOf('t2', numerics, 1), []);
    await dispatch.event('finished', (event) => event.finished.task === 't2');
  });

  it('runs a unit from its start that is leased again while it stops', async () => {
    const { dispatch, worker, numerics } = await fleet();
    const lease = await leaseOf('t1', numerics, 5);
    await worker.lease(lease, []);
    await dispatch.event('progress', ({ phase }) => phase.kind === 'step');
    // One after the other on one stream: the second lease arrives before the step that runs has ended.
    worker.cancel('t1', 'the campaign is over');
    await worker.lease({ ...lease, replySubject: '$JS.ACK.t1.2' }, []);
    const { finished } = await dispatch.event('finished');
    expect(finished).toMatchObject({ task: 't1', replySubject: '$JS.ACK.t1.2', calls: { unetRuns: 5 } });
    expect(dispatch.events.filter(({ kind }) => kind === 'handed-back')).toEqual([]);
  });

  it('hands back what it cannot run, and says why', async () => {
    const { dispatch, worker, numerics } = await fleet('--memory', '1000');
    const lease = await leaseOf('t1', numerics);
    await worker.lease({ ...lease, memory: 1001 }, []);
    expect((await dispatch.event('handed-back')).reason).toContain('1001 bytes');
    await worker.lease({ ...lease, task: 't2', unit: { ...lease.unit, numerics: 'cuda' } }, []);
    expect((await dispatch.event('handed-back', ({ task }) => task === 't2')).reason).toContain('numerics class');
    await worker.lease({ ...lease, task: 't3', sites: ['text'] }, []);
    expect((await dispatch.event('failed')).failure).toMatchObject({ code: 'unit-invalid' });
  });
});
