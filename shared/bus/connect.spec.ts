import { expect, it, vi } from 'vitest';
import { Broadcast } from './broadcast.ts';
import { connectBus } from './connect.ts';
import { records as subjects } from './names.ts';
import { Records } from './records.ts';
import { bytes, describeWithServer } from './test-server.spec-support.ts';

const brief = { totalMs: 600, requestMs: 200 };

await describeWithServer('the connection', (server) => {
  it('fails with a code when its patience is over, while one with more waits, and works again afterwards', async () => {
    const bus = await server.connect(brief);
    const records = new Records(bus);
    const patient = new Records(await server.connect({ ...brief, totalMs: 50_000 }));
    await server.kill();
    const subject = subjects.suspension('lost');
    const waiting = patient.offer(subjects.suspension('awaited'), bytes('x'));
    await expect(records.offer(subject, bytes('x'))).rejects.toMatchObject({ code: 'bus-unavailable' });
    await expect(records.read(subject)).rejects.toMatchObject({ code: 'bus-unavailable' });
    await expect(new Broadcast(bus).say('manifest')).rejects.toMatchObject({ code: 'bus-unavailable' });
    await expect(connectBus(server.running.address('spec'), brief)).rejects.toMatchObject({ code: 'bus-unavailable' });
    await server.restart();
    expect((await waiting).kind).toBe('won');
    await vi.waitFor(() => {
      expect(bus.connection.aborted).toBe(false);
    }, 120_000);
    expect((await records.offer(subject, bytes('x'))).kind).toBe('won');
  });

  it('is not made with a wrong token, and says why', async () => {
    const address = { ...server.running.address('spec'), credentials: { kind: 'token', token: 'guess' } as const };
    await expect(connectBus(address)).rejects.toMatchObject({ code: 'bus-refused' });
  });

  it('fails at once after it was closed', async () => {
    const bus = await server.connect();
    await bus.drain();
    await expect(new Records(bus).read(subjects.suspension('closed'))).rejects.toMatchObject({
      code: 'bus-unavailable',
    });
  });

  it('carries notices, and says look after every reconnect', async () => {
    const [one, two] = [await server.connect(), await server.connect()];
    let looks = 0;
    const stop = await new Broadcast(one).listen('manifest', () => looks++);
    await new Broadcast(two).say('manifest');
    await new Broadcast(two).say('campaign');
    await vi.waitFor(() => {
      expect(looks).toBe(1);
    }, 120_000);
    await server.kill();
    await server.restart();
    await vi.waitFor(() => {
      expect(looks).toBe(2);
    }, 120_000);
    await new Broadcast(two).say('manifest');
    await vi.waitFor(() => {
      expect(looks).toBe(3);
    }, 120_000);
    stop();
    await new Broadcast(two).say('manifest');
    await one.flush();
    expect(looks).toBe(3);
  });

  it('that many operations wait on at once brings them all through a restart', async () => {
    const records = new Records(await server.connect());
    const offers = Array.from({ length: 300 }, (_, i) => records.offer(subjects.suspension(`w-${i}`), bytes(`${i}`)));
    await server.kill();
    await server.restart();
    expect((await Promise.all(offers)).map(({ kind }) => kind)).toEqual(offers.map(() => 'won'));
  });
});
