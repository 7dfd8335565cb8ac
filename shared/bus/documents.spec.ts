import { expect, it, vi } from 'vitest';
import { Documents } from './documents.ts';
import { AuditLog } from './audit-log.ts';
import { buckets } from './names.ts';
import { bytes, describeWithServer, text } from './test-server.spec-support.ts';

await describeWithServer('documents', (server) => {
  it('are created once', async () => {
    const documents = new Documents(await server.connect(), buckets.campaigns);
    expect(await documents.read('Van Gogh')).toBeUndefined();
    const created = await documents.create('Van Gogh', bytes('1'));
    expect(created.kind).toBe('stored');
    const found = { key: 'Van Gogh', sequence: created.kind === 'stored' ? created.sequence : 0, bytes: bytes('1') };
    expect(await documents.create('Van Gogh', bytes('2'))).toMatchObject({ kind: 'conflict', found });
    expect(await documents.read('Van Gogh')).toMatchObject(found);
  });

  it('lose no change when many count them up', async () => {
    const buses = await Promise.all([1, 2, 3, 4].map(() => server.connect()));
    await new Documents(buses[0]!, buckets.manifests).create('counter', bytes('[]'));
    const add = async (documents: Documents, who: string) => {
      let found = await documents.read('counter');
      for (;;) {
        const names = [...(JSON.parse(text(found?.bytes) ?? '') as string[]), who];
        const change = await documents.update('counter', bytes(JSON.stringify(names)), found!.sequence);
        if (change.kind === 'stored') return;
        found = change.found;
      }
    };
    const adders = Array.from({ length: 20 }, (_, i) => `adder ${i}`);
    await Promise.all(adders.map((who, i) => add(new Documents(buses[i % 4]!, buckets.manifests), who)));
    const stored = await new Documents(buses[1]!, buckets.manifests).read('counter');
    expect((JSON.parse(text(stored?.bytes) ?? '') as string[]).toSorted()).toEqual(adders.toSorted());
  });

  it('of two buckets are apart', async () => {
    const bus = await server.connect();
    await new Documents(bus, buckets.campaigns).create('apart', bytes('campaign'));
    expect(await new Documents(bus, buckets.manifests).read('apart')).toBeUndefined();
  });

  it('are watched by version, also across a restart of the server, and one that was removed is told', async () => {
    const bus = await server.connect();
    const documents = new Documents(bus, buckets.campaigns);
    const over = new AbortController();
    const seen: string[] = [];
    const first = await documents.create('watched', bytes('1'));
    const watching = (async () => {
      for await (const event of documents.watch(over.signal, 'watched'))
        seen.push(event.kind === 'document' ? (text(event.document.bytes) ?? '') : event.kind);
    })();
    await vi.waitFor(() => {
      expect(seen).toContain('current');
    }, 120_000);
    let sequence = first.kind === 'stored' ? first.sequence : 0;
    for (const version of ['2', '3', '4']) {
      if (version === '3') {
        await server.kill();
        await server.restart();
      }
      const change = await documents.update('watched', bytes(version), sequence);
      sequence = change.kind === 'stored' ? change.sequence : 0;
    }
    // As `nats kv del` does.
    await bus.store('$KV.lethe_v1_campaigns.watched', bytes(''), undefined, { 'KV-Operation': 'DEL' });
    await vi.waitFor(() => {
      expect(seen).toContain('removed');
    }, 120_000);
    over.abort();
    await watching;
    expect(seen).toEqual(['1', 'current', '2', '3', '4', 'removed']);
    expect(await documents.read('watched')).toBeUndefined();
    expect((await documents.create('watched', bytes('anew'))).kind).toBe('stored');
    expect(text((await documents.read('watched'))?.bytes)).toBe('anew');
  });

  it('end their watch when the bus is closed', async () => {
    const bus = await server.connect();
    const watching = (async () => {
      for await (const event of new Documents(bus, buckets.campaigns).watch(new AbortController().signal))
        if (event.kind === 'current') void bus.close();
    })();
    await expect(watching).rejects.toMatchObject({ code: 'bus-unavailable' });
  });
});

await describeWithServer('the audit log', (server) => {
  it('grows at its end, one at a time, and cannot be altered', async () => {
    const bus = await server.connect();
    const log = new AuditLog(bus);
    expect(await log.head('sd')).toBeUndefined();
    const appends = await Promise.all(['a', 'b', 'c'].map((who) => log.append('sd', bytes(who), 0)));
    expect(appends.filter(({ kind }) => kind === 'appended')).toHaveLength(1);
    const head = await log.head('sd');
    expect(Math.abs((head?.storedAt ?? 0) - Date.now())).toBeLessThan(60_000);
    for (const append of appends) if (append.kind === 'behind') expect(append.head).toEqual(head);
    await log.append('sd', bytes('second'), head!.sequence);
    await log.append('another', bytes('other'), 0);
    const listed = [];
    for await (const record of log.list('sd')) listed.push(record);
    const kept = [head, await log.head('sd')].map((record) => [record?.sequence, record?.storedAt]);
    expect(listed.map(({ sequence, storedAt }) => [sequence, storedAt])).toEqual(kept);
    expect(listed.map((record) => text(record.bytes))).toEqual([text(head?.bytes), 'second']);
    await expect(bus.api('STREAM.PURGE.lethe_v1_audit')).rejects.toThrow();
    await expect(bus.api('STREAM.MSG.DELETE.lethe_v1_audit', { seq: head!.sequence })).rejects.toThrow();
  });
});
