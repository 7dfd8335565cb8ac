import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileKeyring } from '../../coordinator/publish/keyring.ts';
import { MaskDesk } from '../../coordinator/publish/mask-desk.ts';
import { maskBlob, publishMask } from '../../coordinator/publish/publish-mask.ts';
import { openStore, type Store } from '../../coordinator/store/store.ts';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { AuditChain } from '../../shared/manifest/audit-chain.ts';
import { judgeManifest } from '../../shared/manifest/judge-manifest.ts';
import { readSigningKey } from '../../shared/manifest/signing-key.ts';
import { readTrustList } from '../../shared/manifest/trust-list.ts';
import { ensureKeys, isThere, type KeyFolder, keyFolder } from './key-folder.ts';
import { rotateKey, type RotationStep } from './rotate-key.ts';

let folder = '';
let keys: KeyFolder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-rotate-'));
  keys = keyFolder(join(folder, 'keys'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const now = (): Date => new Date();
const cause = { who: 'spec', why: 'keys rotate', force: false };
const steps: readonly RotationStep[] = ['made', 'noted', 'trusted', 'installed', 'signed', 'retired'];
let number = 0;

describe('ensureKeys', () => {
  it('makes a key and its list once, and mends a folder that was left without the list', async () => {
    const key = await ensureKeys(keys, now());
    expect(await readTrustList(keys.trustList)).toMatchObject({ keys: [{ id: key.id, state: 'active' }] });
    expect((await stat(keys.folder)).mode & 0o777).toBe(0o700);
    expect((await ensureKeys(keys, now())).id).toBe(key.id);
    await rm(keys.trustList);
    expect((await ensureKeys(keys, now())).id).toBe(key.id);
    expect((await readTrustList(keys.trustList)).keys).toHaveLength(1);
  });
});

await describeWithServer('rotateKey', (server) => {
  /** A checkpoint with a mask that is active, and a coordinator's desk with the keys of the folder. */
  const setUp = async () => {
    const store = await openStore(await server.connect(), 1, 30_000);
    const publication = {
      store,
      keyring: fileKeyring(keys.signingKey, keys.trustList),
      reportedVersion: () => Promise.resolve(0),
      now,
      log: pino({ level: 'silent' }),
    };
    const desk = new MaskDesk(store, publication, () => Promise.resolve([]));
    number += 1;
    const checkpoint = `sha256:${String(number).padStart(64, '0')}`;
    const union = { rows: 1, columns: 8, bytes: Uint8Array.of(1) };
    const parts = [{ concept: 'a', method: 'conceptprune', settings: {} }];
    const mask = { checkpoint, parts, timesteps: [], layers: [{ site: 'ffn2', name: 'a', union, steps: [] }] } as const;
    const hash = await publishMask(store.masks, mask);
    await ensureKeys(keys, now());
    await desk.apply(checkpoint, [{ concept: 'a', mask: hash }], [], { ...cause, force: true });
    return { store, desk, checkpoint };
  };
  const signWith = (desk: MaskDesk) => async (key: string) => {
    for await (const { manifest } of desk.sign(key, cause)) expect(manifest.version).toBeGreaterThan(0);
  };
  const judged = async (store: Store, checkpoint: string) => {
    const trust = await readTrustList(keys.trustList);
    const { bytes } = (await store.manifests.read(checkpoint)) ?? { bytes: new Uint8Array() };
    const chain = new AuditChain(checkpoint, trust);
    const faults = [];
    for await (const record of store.audit.list(checkpoint))
      faults.push(...chain.take(record.sequence, record.bytes, record.storedAt).faults);
    return { judgement: judgeManifest(bytes, { checkpoint, trust, seen: undefined }), faults, bytes };
  };

  it('signs what is active anew and retires the old key', async () => {
    const { store, desk, checkpoint } = await setUp();
    const before = await judged(store, checkpoint);
    const old = await readSigningKey(keys.signingKey);
    const { from, to } = await rotateKey(keys, signWith(desk), () => undefined, now);
    expect(from).toBe(old.id);
    expect((await readSigningKey(keys.signingKey)).id).toBe(to);
    const list = await readTrustList(keys.trustList);
    expect(list.keys.map(({ id, state }) => [id, state])).toEqual([
      [from, 'retired'],
      [to, 'active'],
    ]);
    const after = await judged(store, checkpoint);
    expect(after).toMatchObject({ judgement: { kind: 'accepted', manifest: { version: 2 } }, faults: [] });
    // What the old key signed counts no more.
    const replayed = judgeManifest(before.bytes, { checkpoint, trust: list, seen: undefined });
    expect(replayed).toMatchObject({ kind: 'refused', reason: 'retired-key' });
    expect(await isThere(keys.rotation)).toBe(false);
    expect(await isThere(keys.nextKey)).toBe(false);
  });

  it.each<[string, (store: Store, blob: string) => Promise<unknown>]>([
    ['is gone', (store, blob) => store.blobs.delete(blob)],
    ['is damaged', (store, blob) => store.blobs.put(blob, Buffer.from('damaged'))],
    [
      'is sealed with a key that is gone',
      (store, blob) => store.blobs.put(blob, Buffer.from(`LETHESB1${'-'.repeat(50)}`)),
    ],
  ])('signs all anew although a mask %s', async (_, spoil) => {
    const { store, desk, checkpoint } = await setUp();
    const { checkpoint: other } = await setUp();
    const { judgement: before } = await judged(store, checkpoint);
    if (before.kind !== 'accepted') throw new TypeError(before.reason);
    const { masks, union = '' } = before.manifest;
    for (const hash of [union, ...masks.map(({ mask }) => mask)]) await spoil(store, maskBlob(hash));
    await rotateKey(keys, signWith(desk), () => undefined, now);
    for (const each of [checkpoint, other])
      expect(await judged(store, each)).toMatchObject({
        judgement: { kind: 'accepted', manifest: { version: 2 } },
        faults: [],
      });
    const { judgement: after } = await judged(store, checkpoint);
    expect(after).toMatchObject({ manifest: { masks, union } });
  });

  it.each(steps)('goes on where it was interrupted after: %s', async (last) => {
    const { store, desk, checkpoint } = await setUp();
    const old = await readSigningKey(keys.signingKey);
    const interrupt = (step: RotationStep): void => {
      if (step === last) throw new Error(`interrupted after ${step}`);
    };
    await expect(rotateKey(keys, signWith(desk), interrupt, now)).rejects.toThrow('interrupted');
    // Meanwhile the fleet works: what is published is accepted, and changes can be signed.
    expect(await judged(store, checkpoint)).toMatchObject({ judgement: { kind: 'accepted' }, faults: [] });
    await desk.apply(checkpoint, [], ['a'], cause);
    expect(await judged(store, checkpoint)).toMatchObject({ judgement: { kind: 'accepted' }, faults: [] });

    const { from, to } = await rotateKey(keys, signWith(desk), () => undefined, now);
    expect([from, to]).toEqual([old.id, (await readSigningKey(keys.signingKey)).id]);
    const list = await readTrustList(keys.trustList);
    expect(list.keys.map(({ id, state }) => [id, state])).toEqual([
      [from, 'retired'],
      [to, 'active'],
    ]);
    const { judgement, faults } = await judged(store, checkpoint);
    expect(judgement).toMatchObject({ kind: 'accepted', manifest: { masks: [] } });
    expect(faults).toEqual([]);
    expect(await isThere(keys.rotation)).toBe(false);
  });

  it('retires nothing while manifests cannot be signed, or a serving process is behind', async () => {
    await setUp();
    const old = await readSigningKey(keys.signingKey);
    const failing = () => Promise.reject(new TypeError('behind'));
    await expect(rotateKey(keys, failing, () => undefined, now)).rejects.toThrow('behind');
    const list = await readTrustList(keys.trustList);
    expect(list.keys.map(({ state }) => state)).toEqual(['active', 'active']);
    expect((await readSigningKey(keys.signingKey)).id).not.toBe(old.id);
  });

  it('refuses a note that it did not write, and a key that is not the one it made', async () => {
    await setUp();
    await writeFile(keys.rotation, '{"from": "x"}');
    const rotate = () =>
      rotateKey(
        keys,
        () => Promise.resolve(),
        () => undefined,
        now,
      );
    await expect(rotate()).rejects.toMatchObject({ code: 'key-invalid', where: keys.rotation });
    await writeFile(keys.rotation, JSON.stringify({ from: '0'.repeat(32), to: '1'.repeat(32) }));
    const before = await readFile(keys.trustList, 'utf8');
    await expect(rotate()).rejects.toMatchObject({ code: 'key-invalid', where: keys.signingKey });
    expect(await readFile(keys.trustList, 'utf8')).toBe(before);
  });
});
