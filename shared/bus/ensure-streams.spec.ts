import { expect, it } from 'vitest';
import { ensureStreams } from './ensure-streams.ts';
import { streams } from './names.ts';
import { describeWithServer } from './test-server.spec-support.ts';

interface Info {
  readonly config: Readonly<Record<string, unknown>>;
}

const buckets = ['campaigns', 'manifests', 'verifications', 'servers'].map((name) => `KV_lethe_v1_${name}`);
const kept = [...buckets, 'OBJ_lethe_v1_blobs'];
const names = [...Object.values(streams), ...kept];

await describeWithServer('the streams', (server) => {
  it('are set up by any number of coordinators at once', async () => {
    const buses = await Promise.all([1, 2, 3, 4].map(() => server.connect()));
    for (const name of names) await buses[0]!.api(`STREAM.DELETE.${name}`);
    await Promise.all(buses.map((bus) => ensureStreams(bus, 1)));
    const { streams: found } = await buses[0]!.api<{ streams: readonly string[] }>('STREAM.NAMES');
    expect(found.toSorted()).toEqual(names.toSorted());
  });

  it('are as they must be', async () => {
    const bus = await server.connect();
    const config = async (name: string) => (await bus.api<Info>(`STREAM.INFO.${name}`)).config;
    expect(await config(streams.units)).toMatchObject({ retention: 'workqueue', storage: 'file', max_age: 0 });
    expect(await config(streams.records)).toMatchObject({ discard: 'old', max_msgs_per_subject: 1, max_bytes: -1 });
    expect(await config(streams.audit)).toMatchObject({ deny_delete: true, deny_purge: true });
  });

  it('are brought up to date, with what is in them, by several at once', async () => {
    const buses = await Promise.all([1, 2, 3].map(() => server.connect()));
    const { config } = await buses[0]!.api<Info>(`STREAM.INFO.${streams.records}`);
    await buses[0]!.store('lethe.v1.record.suspension.a', new Uint8Array(3));
    await buses[0]!.api(`STREAM.UPDATE.${streams.records}`, { ...config, max_age: 3_600_000_000_000 });
    await Promise.all(buses.map((bus) => ensureStreams(bus, 1)));
    const after = await buses[0]!.api<Info & { state: { messages: number } }>(`STREAM.INFO.${streams.records}`);
    expect(after.config).toEqual(config);
    expect(after.state.messages).toBe(1);
  });

  it('are not touched when there is nothing to change', async () => {
    const bus = await server.connect();
    await ensureStreams(bus, 1);
    const asked: string[] = [];
    const watched = Object.assign(Object.create(bus) as typeof bus, {
      api: (path: string, body?: object) => {
        asked.push(path);
        return bus.api(path, body);
      },
    });
    await ensureStreams(watched, 1);
    expect(asked).toEqual(expect.arrayContaining(names.map((name) => `STREAM.INFO.${name}`)));
    expect(asked).toHaveLength(names.length);
  });

  it('that a server alone cannot keep so often are refused', async () => {
    await expect(ensureStreams(await server.connect(), 3)).rejects.toMatchObject({ code: 'bus-failed' });
  });
});
