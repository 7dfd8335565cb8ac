import { randomBytes } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import type { Bus } from './bus.ts';
import { recordFilters, records as subjects } from './names.ts';
import { Records } from './records.ts';
import { bytes, describeWithServer, text } from './test-server.spec-support.ts';

const hash = () => randomBytes(32).toString('hex');

await describeWithServer('records', (server) => {
  it('have one winner, whoever offers how often from where', async () => {
    const buses = await Promise.all([1, 2, 3, 4].map(() => server.connect()));
    for (let round = 0; round < 10; round++) {
      const subject = subjects.verdict(hash(), 'ffn2');
      const offers = await Promise.all(
        Array.from({ length: 24 }, (_, i) => new Records(buses[i % 4]!).offer(subject, bytes(`offer ${i}`))),
      );
      const won = offers.flatMap((offer, i) => (offer.kind === 'won' ? [i] : []));
      expect(won).toHaveLength(1);
      const stored = await new Records(buses[0]!).read(subject);
      expect(text(stored?.bytes)).toBe(`offer ${won[0]}`);
      for (const offer of offers) if (offer.kind === 'lost') expect(offer.winner).toEqual(stored);
    }
  });

  it('are won by whoever offers again what stands there', async () => {
    const records = new Records(await server.connect());
    const subject = subjects.verdict(hash(), 'ffn2');
    const first = await records.offer(subject, bytes('the same'));
    expect(first.kind).toBe('won');
    expect(await records.offer(subject, bytes('the same'))).toEqual(first);
  });

  it('are replaced by compare-and-set, by one of many', async () => {
    const records = new Records(await server.connect());
    const subject = subjects.verdict(hash(), 'ffn2');
    const offer = await records.offer(subject, bytes('damaged'));
    const sequence = offer.kind === 'won' ? offer.sequence : 0;
    const repairs = await Promise.all(
      Array.from({ length: 8 }, (_, i) => records.replace(subject, bytes(`repair ${i}`), sequence)),
    );
    expect(repairs.filter(({ kind }) => kind === 'replaced')).toHaveLength(1);
    const stored = await records.read(subject);
    expect(repairs.findIndex(({ kind }) => kind === 'replaced')).toBe(Number(text(stored?.bytes)?.slice(-1)));
    expect(await records.replace(subject, bytes('late'), sequence)).toEqual({ kind: 'lost', winner: stored });
  });

  it('go only with the sequence that gc has seen, and can then be won again', async () => {
    const records = new Records(await server.connect());
    const subject = subjects.suspension('gpu-7');
    const offer = await records.offer(subject, bytes('one'));
    const old = offer.kind === 'won' ? offer.sequence : 0;
    await records.replace(subject, bytes('two'), old);
    expect(await records.delete(old)).toBe('gone');
    const stored = await records.read(subject);
    expect(await records.delete(stored!.sequence)).toBe('deleted');
    expect(await records.read(subject)).toBeUndefined();
    expect((await records.offer(subject, bytes('three'))).kind).toBe('won');
  });

  it('are listed by filter, oldest first', async () => {
    const records = new Records(await server.connect());
    const cohort = hash();
    const keys = Array.from({ length: 600 }, hash);
    for (const key of keys) await records.offer(subjects.sum(cohort, key), bytes(key));
    await records.offer(subjects.sum(hash(), hash()), bytes('of another cohort'));
    const listed: (string | undefined)[] = [];
    for await (const record of records.list(recordFilters.sumsOf(cohort))) listed.push(text(record.bytes));
    expect(listed).toEqual(keys);
    const none: unknown[] = [];
    for await (const record of records.list(recordFilters.sumsOf(hash()))) none.push(record);
    expect(none).toEqual([]);
  });

  it('are watched without gap or repetition while the server is killed and started again', async () => {
    const bus = await server.connect();
    const records = new Records(bus);
    const unit = hash();
    const put = async (i: number) => {
      expect((await records.offer(subjects.attempt(unit, String(i)), bytes(String(i)))).kind).toBe('won');
    };
    for (let i = 0; i < 10; i++) await put(i);
    const over = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const event of records.watch(recordFilters.attemptsAt(unit), over.signal))
        seen.push(event.kind === 'current' ? 'current' : (text(event.record.bytes) ?? ''));
    })();
    await vi.waitFor(() => {
      expect(seen).toContain('current');
    }, 120_000);
    await put(10);
    await server.kill();
    // Asked while nobody is there: it waits.
    const waiting = put(11);
    await server.restart();
    await waiting;
    for (let i = 12; i < 20; i++) await put(i);
    await vi.waitFor(() => {
      expect(seen).toContain('19');
    }, 120_000);
    over.abort();
    await watching;
    const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));
    expect(seen).toEqual([...numbers(0, 10), 'current', ...numbers(10, 20)]);
  });

  it('are watched through an absence of the server that is longer than the patience', async () => {
    const records = new Records(await server.connect({ totalMs: 200, requestMs: 100 }));
    const over = new AbortController();
    const unit = hash();
    const seen: (string | undefined)[] = [];
    const watching = (async () => {
      for await (const event of records.watch(recordFilters.attemptsAt(unit), over.signal))
        seen.push(event.kind === 'current' ? 'current' : text(event.record.bytes));
    })();
    await vi.waitFor(() => {
      expect(seen).toEqual(['current']);
    }, 120_000);
    await server.kill();
    for (let i = 0; i < 4; i++)
      await expect(records.read(subjects.verdict(unit, 'ffn2'))).rejects.toMatchObject({ code: 'bus-unavailable' });
    await server.restart();
    await new Records(await server.connect()).offer(subjects.attempt(unit, '1'), bytes('after'));
    await vi.waitFor(() => {
      expect(seen).toEqual(['current', 'after']);
    }, 120_000);
    over.abort();
    await watching;
  });

  it('leave no consumer behind when a reader stops early', async () => {
    const bus = await server.connect();
    const records = new Records(bus);
    const cohort = hash();
    for (let i = 0; i < 3; i++) await records.offer(subjects.sum(cohort, hash()), bytes(String(i)));
    for await (const record of records.list(recordFilters.sumsOf(cohort))) if (text(record.bytes) === '1') break;
    // nats-server works on requests to its API side by side: that for the names may pass that which deletes.
    await vi.waitFor(async () => {
      const { total } = await bus.api<{ total: number }>('CONSUMER.NAMES.lethe_v1_records');
      expect(total).toBe(0);
    }, 120_000);
  });

  it('lose nothing that was confirmed when the server is killed in the middle of many', async () => {
    const buses: Bus[] = await Promise.all([1, 2].map(() => server.connect()));
    const cohort = hash();
    const confirmed: string[] = [];
    const writer = async (bus: Bus, name: string) => {
      for (let i = 0; i < 200; i++) {
        const key = hash();
        const offer = await new Records(bus).offer(subjects.sum(cohort, key), bytes(`${name} ${key}`));
        if (offer.kind === 'won') confirmed.push(key);
      }
    };
    const writing = Promise.all(buses.map((bus, i) => writer(bus, `writer ${i}`)));
    await vi.waitFor(() => {
      expect(confirmed.length).toBeGreaterThan(50);
    }, 120_000);
    await server.kill();
    await server.restart();
    await writing;
    const listed = new Set<string>();
    for await (const record of new Records(buses[0]!).list(recordFilters.sumsOf(cohort)))
      listed.add(record.subject.split('.').at(-1) ?? '');
    expect(confirmed).toHaveLength(400);
    expect([...listed].sort()).toEqual(confirmed.toSorted());
  });
});
