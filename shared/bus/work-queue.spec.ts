import { randomBytes } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import type { Bus } from './bus.ts';
import type { Lease } from './lease.ts';
import { parseReplySubject } from './lease.ts';
import { consumerName, type QueueName, streams, type UnitAddress } from './names.ts';
import { bytes, describeWithServer, text } from './test-server.spec-support.ts';
import { WorkQueue } from './work-queue.ts';

const shortMs = 400;
const waitMs = 10_000;
const hash = () => randomBytes(32).toString('hex');
const queueOf = (memory = 'small'): QueueName => ({ campaign: `c-${hash().slice(0, 8)}`, numerics: 'cpu 1', memory });
const unitIn = (queue: QueueName): UnitAddress => ({ ...queue, unit: hash(), purpose: 'result' });

async function take(queue: WorkQueue, name: QueueName, most: number, expiresMs = waitMs): Promise<Lease[]> {
  const leases: Lease[] = [];
  for await (const lease of queue.pull(name, most, expiresMs)) leases.push(lease);
  return leases;
}

/** Until a pull of the queue waits at the server. */
const pulled = (bus: Bus, queue: QueueName): Promise<void> =>
  vi.waitFor(async () => {
    const path = `CONSUMER.INFO.${streams.units}.${consumerName(queue)}`;
    expect(await bus.api(path)).toMatchObject({ num_waiting: 1 });
  }, waitMs);

await describeWithServer('the queue', (server) => {
  const fill = async (queue: WorkQueue, name: QueueName, count: number) => {
    const units = Array.from({ length: count }, () => unitIn(name));
    for (const unit of units) expect(await queue.publish(unit, bytes(unit.unit))).toBe('queued');
    await queue.open(name, 1000);
    return units;
  };

  it('takes a unit once, until it is acknowledged', async () => {
    const queue = new WorkQueue(await server.connect());
    const name = queueOf();
    const [unit] = await fill(queue, name, 1);
    expect(await queue.publish(unit!, bytes('again'))).toBe('already-queued');
    const [lease] = await take(queue, name, 1);
    expect(await queue.publish(unit!, bytes('again'))).toBe('already-queued');
    expect(await queue.acknowledge(lease!.reply)).toBe('done');
    expect(await queue.publish(unit!, bytes('again'))).toBe('queued');
  });

  it('hands out what was published, in order, with how often and how many wait', async () => {
    const queue = new WorkQueue(await server.connect());
    const name = queueOf();
    const units = await fill(queue, name, 5);
    const leases = await take(queue, name, 3);
    expect(leases.map(({ address }) => address)).toEqual(units.slice(0, 3));
    expect(leases.map((lease) => text(lease.bytes))).toEqual(units.slice(0, 3).map(({ unit }) => unit));
    expect(leases.map(({ deliveries }) => deliveries)).toEqual([1, 1, 1]);
    expect(leases.map(({ pending }) => pending)).toEqual([4, 3, 2]);
    expect(await queue.depth(name)).toEqual({ waiting: 2, leased: 3 });
    expect(await take(queue, name, 10, 0)).toHaveLength(2);
    expect(await take(queue, name, 10, 0)).toHaveLength(0);
  });

  it('keeps a spot check apart from the unit it repeats', async () => {
    const queue = new WorkQueue(await server.connect());
    const name = queueOf();
    const [unit] = await fill(queue, name, 1);
    expect(await queue.publish({ ...unit!, purpose: 'spot-check' }, bytes('check'))).toBe('queued');
    expect((await take(queue, name, 2)).map(({ address }) => address.purpose)).toEqual(['result', 'spot-check']);
  });

  it('gives each memory class a queue of its own', async () => {
    const queue = new WorkQueue(await server.connect());
    const small = queueOf('8 GiB');
    const large = { ...small, memory: '80 GiB' };
    await fill(queue, small, 2);
    const units = await fill(queue, large, 1);
    expect((await take(queue, large, 5, 0)).map(({ address }) => address)).toEqual(units);
  });

  it('waits for a unit that comes later, and hands it over at once', async () => {
    const queue = new WorkQueue(await server.connect());
    const name = queueOf();
    await queue.open(name, 10);
    const pulling = take(queue, name, 1, 60_000);
    await queue.publish(unitIn(name), bytes('late'));
    expect((await pulling).map((lease) => text(lease.bytes))).toEqual(['late']);
  });

  it('takes back what arrives after its caller has stopped', async () => {
    const queue = new WorkQueue(await server.connect());
    const name = queueOf();
    await fill(queue, name, 20);
    let first: Lease | undefined;
    for await (const lease of queue.pull(name, 20, waitMs)) {
      first = lease;
      break;
    }
    expect(first?.deliveries).toBe(1);
    // Long before their leases would end.
    const rest = await take(queue, name, 19);
    expect(new Set(rest.map(({ address }) => address.unit)).size).toBe(19);
  });

  it('ends a pull by signal', async () => {
    const bus = await server.connect();
    const queue = new WorkQueue(bus);
    const name = queueOf();
    await queue.open(name, 10);
    const over = new AbortController();
    const pulling = (async () => {
      for await (const lease of queue.pull(name, 1, 60_000, over.signal)) return lease;
      return undefined;
    })();
    await pulled(bus, name);
    over.abort();
    expect(await pulling).toBeUndefined();
  });

  it('gives a unit to another when its lease is not renewed', async () => {
    const [one, two] = [new WorkQueue(await server.connect(), shortMs), new WorkQueue(await server.connect(), shortMs)];
    const name = queueOf();
    await fill(one, name, 1);
    const [lease] = await take(one, name, 1);
    const [again] = await take(two, name, 1);
    expect(again?.address).toEqual(lease?.address);
    expect(again?.deliveries).toBe(2);
  });

  it('keeps a lease that another coordinator renews by its reply subject', async () => {
    const [one, two] = [new WorkQueue(await server.connect(), shortMs), new WorkQueue(await server.connect(), shortMs)];
    const name = queueOf();
    await fill(one, name, 2);
    const [kept, silent] = await take(one, name, 2);
    const reply = parseReplySubject(kept!.reply);
    const over = new AbortController();
    const renewing = (async () => {
      while (!over.signal.aborted) expect(await two.renew(reply)).toBe('done');
    })();
    const redelivered: Lease[] = [];
    // The silent one comes back three times meanwhile; the kept one never.
    for await (const lease of two.pull(name, 3, waitMs)) redelivered.push(lease);
    over.abort();
    await renewing;
    expect(redelivered.map(({ address }) => address)).toEqual(Array.from({ length: 3 }, () => silent!.address));
    expect(await two.acknowledge(reply)).toBe('done');
    expect(await two.acknowledge(redelivered.at(-1)!.reply)).toBe('done');
    expect(await two.depth(name)).toEqual({ waiting: 0, leased: 0 });
  });

  it('acts on the unit, not the delivery, with a stale reply subject', async () => {
    const queue = new WorkQueue(await server.connect(), shortMs);
    const name = queueOf();
    await fill(queue, name, 1);
    const [stale] = await take(queue, name, 1);
    const [held] = await take(queue, name, 1);
    expect(await queue.giveBack(stale!.reply)).toBe('done');
    const [third] = await take(queue, name, 1);
    expect(third?.deliveries).toBe(3);
    expect(await queue.acknowledge(stale!.reply)).toBe('done');
    expect(await queue.depth(name)).toEqual({ waiting: 0, leased: 0 });
    // Of a unit that is gone, nothing happens.
    for (const lease of [held!, third!]) expect(await queue.renew(lease.reply)).toBe('done');
    expect(await queue.queued(name.campaign)).toEqual([]);
  });

  it('hands a returned unit out again, at once or later, and a terminated one never', async () => {
    const queue = new WorkQueue(await server.connect());
    const name = queueOf();
    await fill(queue, name, 3);
    const [now, later, never] = await take(queue, name, 3);
    await queue.giveBack(later!.reply, shortMs);
    await queue.giveBack(now!.reply);
    await queue.terminate(never!.reply);
    expect((await take(queue, name, 2)).map(({ address }) => address)).toEqual([now!.address, later!.address]);
    expect(await queue.queued(name.campaign)).toHaveLength(2);
  });

  it('holds back what goes beyond the leases of a fleet', async () => {
    const queue = new WorkQueue(await server.connect());
    const name = queueOf();
    await fill(queue, name, 5);
    await queue.open(name, 2);
    const leases: Lease[] = [];
    for await (const lease of queue.pull(name, 5, waitMs)) {
      leases.push(lease);
      if (leases.length === 5) break;
      if (leases.length >= 2) await queue.acknowledge(leases.at(-2)!.reply);
      expect((await queue.depth(name)).leased).toBeLessThanOrEqual(2);
    }
    expect(new Set(leases.map(({ address }) => address.unit)).size).toBe(5);
  });

  it('gives two campaigns their shares, however many units one of them has', async () => {
    const [one, two] = [new WorkQueue(await server.connect()), new WorkQueue(await server.connect())];
    const [large, small] = [queueOf(), queueOf()];
    await fill(one, large, 200);
    await fill(two, small, 10);
    const order: string[] = [];
    for (let turn = 0; turn < 10; turn++)
      for (const name of [large, small])
        for (const lease of await take(turn % 2 === 0 ? one : two, name, 1)) {
          order.push(lease.address.campaign);
          await one.acknowledge(lease.reply);
        }
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? large : small).campaign));
  });

  it('empties and closes one campaign and leaves the others', async () => {
    const queue = new WorkQueue(await server.connect());
    const [over, other] = [queueOf(), queueOf()];
    await fill(queue, over, 6);
    await fill(queue, { ...over, memory: 'large' }, 2);
    const units = await fill(queue, other, 3);
    const [lease] = await take(queue, over, 1);
    expect(await queue.queued(over.campaign)).toHaveLength(8);
    expect(await queue.purge(over.campaign)).toBe(8);
    expect(await queue.renew(lease!.reply)).toBe('done');
    await queue.close(over.campaign);
    await queue.close(over.campaign);
    for (const command of [queue.renew(lease!.reply), queue.acknowledge(lease!.reply), queue.terminate(lease!.reply)])
      expect(await command).toBe('gone');
    const missing = { code: 'queue-missing' };
    await expect(take(queue, over, 1)).rejects.toMatchObject(missing);
    await expect(queue.depth(over)).rejects.toMatchObject(missing);
    expect(await queue.queued(over.campaign)).toEqual([]);
    expect((await queue.queued(other.campaign)).map(({ unit }) => unit).toSorted()).toEqual(
      units.map(({ unit }) => unit).toSorted(),
    );
    expect(await take(queue, other, 3)).toHaveLength(3);
  });

  it('tells one who waits that its queue was closed', async () => {
    const bus = await server.connect();
    const queue = new WorkQueue(bus);
    const name = queueOf();
    await queue.open(name, 10);
    const pulling = expect(take(queue, name, 1, 60_000)).rejects.toMatchObject({ code: 'queue-missing' });
    await pulled(bus, name);
    await queue.close(name.campaign);
    await pulling;
  });

  it('keeps every unit when the server is killed, and none that was acknowledged', async () => {
    const queue = new WorkQueue(await server.connect());
    const name = queueOf();
    const units = await fill(queue, name, 30);
    const leases = await take(queue, name, 10);
    for (const lease of leases.slice(0, 5)) await queue.acknowledge(lease.reply);
    const pulling = take(queue, { ...name, memory: 'other' }, 1, 60_000).catch(() => []);
    await server.kill();
    const late = unitIn(name);
    const publishing = queue.publish(late, bytes('while it was away'));
    await server.restart();
    expect(await publishing).toBe('queued');
    expect(await pulling).toEqual([]);
    expect(await queue.renew(leases[7]!.reply)).toBe('done');
    // A killed server may have forgotten that units are leased, and never that they are queued or acknowledged.
    const waiting = new Set([...units.slice(10), late].map(({ unit }) => unit));
    const leased = units.slice(5, 10).map(({ unit }) => unit);
    for await (const { address } of queue.pull(name, 26, waitMs)) {
      if (!waiting.delete(address.unit)) expect(leased).toContain(address.unit);
      if (waiting.size === 0) break;
    }
    expect(waiting.size).toBe(0);
    expect(await queue.queued(name.campaign)).toHaveLength(26);
  });
});
