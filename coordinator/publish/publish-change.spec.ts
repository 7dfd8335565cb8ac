import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import type { RecordedMask } from '../../shared/manifest/change-record.ts';
import { isSealed } from '../../shared/manifest/seal-blob.ts';
import { newKey, trustIn } from '../../shared/manifest/manifests.spec-support.ts';
import { decodeMask } from '../../shared/mask/mask-file.ts';
import { decompressMask } from '../../shared/mask/mask-storage.ts';
import { openStore, type Store } from '../store/store.ts';
import { changedMasks } from './manifest-change.ts';
import { publishChange } from './publish-change.ts';
import { maskBlob, publishMask } from './publish-mask.ts';
import { recordVerification } from './verification.ts';
import {
  apply,
  chainOf,
  concepts,
  conceptsOf,
  forced,
  key,
  keyringOf,
  maskAt,
  newCheckpoint,
  plain,
  publicationOf,
  restore,
} from './publish.spec-support.ts';

describe('changedMasks', () => {
  it('gives the same whatever the order of changes of different concepts', () => {
    const change = fc.record({
      concept: fc.constantFrom('a', 'b', 'c', 'd'),
      mask: fc.option(fc.constantFrom('1'.repeat(64), '2'.repeat(64)), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(change, { selector: ({ concept }) => concept }), (changes) => {
        const start: readonly RecordedMask[] = [{ concept: 'a', mask: '0'.repeat(64) }];
        const after = (list: typeof changes) =>
          list.reduce<readonly RecordedMask[]>(
            (masks, { concept, mask }) =>
              mask === undefined ? changedMasks(masks, [], [concept]) : changedMasks(masks, [{ concept, mask }], []),
            start,
          );
        expect(after(changes.toReversed())).toEqual(after(changes));
      }),
    );
  });
});

describe('changedMasks, of a concept in two spellings', () => {
  const [first, second] = ['1'.repeat(64), '2'.repeat(64)];
  const both: readonly RecordedMask[] = [
    { concept: 'Cafe\u0301', mask: first },
    { concept: 'caf\u00e9', mask: second },
  ];
  it('restores both, by either', () => {
    for (const name of ['CAFÉ', 'caf\u00e9', 'Cafe\u0301']) expect(changedMasks(both, [], [name])).toEqual([]);
  });
  it('puts one in the place of the other', () => {
    const applied = { concept: 'CAFÉ', mask: second };
    expect(changedMasks(both.slice(0, 1), [applied], [])).toEqual([applied]);
  });
});

await describeWithServer('publishChange', (server) => {
  const store = async (): Promise<Store> => openStore(await server.connect(), 1, 30_000);

  it('makes candidates active as their union, under a version that grows, and says so', async () => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const publication = publicationOf(own);
    const look = vi.fn();
    await (await store()).broadcast.listen('manifest', look);
    await apply(publication, checkpoint, 'a');
    const both = await apply(publication, checkpoint, 'd');
    expect(both).toMatchObject({ changed: true, manifest: { version: 2 } });
    expect(conceptsOf(both)).toEqual(['a', 'd']);
    const union = both.manifest.union ?? '';
    const mask = decodeMask(await decompressMask(await own.masks.get(maskBlob(union)), union));
    expect(mask.parts.map(({ concept }) => concept)).toEqual(['a', 'd']);
    expect([...(mask.layers[0]?.union.bytes ?? [])]).toEqual([0b1001]);
    await vi.waitFor(() => {
      expect(look).toHaveBeenCalledTimes(2);
    }, 120_000);

    expect(await apply(publication, checkpoint, 'a')).toMatchObject({ changed: false, digest: both.digest });
    const none = await restore(publication, checkpoint, 'a', 'd', 'unknown');
    expect(none.manifest).toMatchObject({ version: 3, masks: [] });
    expect(none.manifest.union).toBeUndefined();
    const { faults, links, standing } = await chainOf(own, checkpoint);
    expect(faults).toEqual([]);
    expect(standing).toEqual({ kind: 'in-step', version: 3 });
    expect(links.map(({ record }) => record?.action)).toEqual(['apply', 'apply', 'restore']);
    expect(links[0]?.record).toMatchObject({ who: 'ada@example', why: 'a reason', forced: true, version: 1 });
  });

  it.each([
    ['two days ahead', 2 * 86_400_000],
    ['an hour behind', -3_600_000],
  ])('signs nothing with a clock %s of that of NATS', async (_, offset) => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const publication = publicationOf(own, { now: () => new Date(Date.now() + offset) });
    await expect(apply(publication, checkpoint, 'a')).rejects.toMatchObject({ code: 'clock-contradicted' });
    expect((await chainOf(own, checkpoint)).links).toEqual([]);
    expect(await apply(publicationOf(own), checkpoint, 'a')).toMatchObject({ changed: true });
  });

  it('stores nothing in a dry run, and answers what the change would answer', async () => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const publication = publicationOf(own);
    const masks = await Promise.all(
      ['a', 'b'].map(async (concept, i) => ({
        concept,
        mask: await publishMask(own.masks, maskAt(checkpoint, concept, i)),
      })),
    );
    const change = { kind: 'change', apply: masks, restore: [] } as const;
    await expect(publishChange(publication, checkpoint, change, plain, true)).rejects.toMatchObject({
      code: 'mask-unverified',
    });
    const dry = await publishChange(publication, checkpoint, change, forced, true);
    expect(dry).toMatchObject({ changed: true, manifest: { version: 1, masks } });
    expect((await chainOf(own, checkpoint)).links).toEqual([]);
    expect(await own.masks.has(maskBlob(dry.manifest.union ?? ''))).toBe(false);
    const made = await publishChange(publication, checkpoint, change, forced);
    expect(made.manifest.union).toBe(dry.manifest.union);
    expect(made.manifest.version).toBe(dry.manifest.version);
  });

  it('loses no change of two coordinators at once, and leaves a chain without a fault', async () => {
    const checkpoint = newCheckpoint();
    const [one, two] = [publicationOf(await store()), publicationOf(await store())];
    await Promise.all(concepts.map((concept, i) => apply(i % 2 === 0 ? one : two, checkpoint, concept)));
    const [first, second] = await Promise.all([restore(one, checkpoint, 'a', 'b'), restore(two, checkpoint, 'c')]);
    const last = [first, second].sort((x, y) => y.manifest.version - x.manifest.version)[0];
    expect(last && conceptsOf(last)).toEqual(['d', 'e', 'f', 'g', 'h']);
    const { faults, links, standing } = await chainOf(one.store as Store, checkpoint);
    expect(faults).toEqual([]);
    expect(links.map(({ record }) => record?.version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(standing).toEqual({ kind: 'in-step', version: 10 });
  });

  it('refuses a mask that is not there and one of another checkpoint, and changes nothing', async () => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const foreign = await publishMask(own.masks, maskAt(newCheckpoint(), 'a', 1));
    const attempt = (mask: string) =>
      publishChange(
        publicationOf(own),
        checkpoint,
        { kind: 'change', apply: [{ concept: 'a', mask }], restore: [] },
        forced,
      );
    await expect(attempt('0'.repeat(64))).rejects.toMatchObject({ code: 'blob-missing' });
    await expect(attempt(foreign)).rejects.toMatchObject({ code: 'mask-mismatch' });
    expect((await chainOf(own, checkpoint)).standing).toEqual({ kind: 'none' });
  });

  it('refuses what no verification stands behind unless it is forced, and names the verification in its record', async () => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const publication = publicationOf(own);
    await expect(apply(publication, checkpoint, 'a', plain)).rejects.toMatchObject({ code: 'mask-unverified' });
    const mask = await publishMask(own.masks, maskAt(checkpoint, 'a', 0));
    const note = (passed: boolean, of = checkpoint) =>
      recordVerification(
        own,
        { mask, checkpoint: of, passed, images: undefined },
        Buffer.from(`report ${passed} ${of}`),
        new Date(),
      );
    await note(false);
    await expect(apply(publication, checkpoint, 'a', plain)).rejects.toMatchObject({ code: 'mask-unverified' });
    await note(true, 'another checkpoint');
    await expect(apply(publication, checkpoint, 'a', plain)).rejects.toMatchObject({ code: 'mask-unverified' });
    const { report } = await note(true);
    expect(Buffer.from(await own.blobs.get(`verification/${report}`)).toString()).toBe(`report true ${checkpoint}`);
    await apply(publication, checkpoint, 'a', forced);
    await apply(publication, checkpoint, 'b', forced);
    const { links } = await chainOf(own, checkpoint);
    expect(links.map(({ record }) => [record?.forced, record?.masks.map(({ verification }) => verification)])).toEqual([
      [false, [report]],
      [true, [report, undefined]],
    ]);
    // What is active already needs no second leave.
    expect(await apply(publication, checkpoint, 'b', plain)).toMatchObject({ changed: false });
  });

  it('rolls back to what a version said, under a new one', async () => {
    const publication = publicationOf(await store());
    const checkpoint = newCheckpoint();
    const one = await apply(publication, checkpoint, 'a');
    await apply(publication, checkpoint, 'b');
    await restore(publication, checkpoint, 'a');
    const back = (target: number, cause = forced) =>
      publishChange(publication, checkpoint, { kind: 'rollback', target }, cause);
    await expect(back(1, plain)).rejects.toMatchObject({
      code: 'mask-unverified',
      where: expect.stringMatching(/^a /) as string,
    });
    const rolled = await back(1);
    expect(rolled.manifest).toMatchObject({ version: 4, masks: one.manifest.masks, union: one.manifest.union });
    expect(await back(1, plain)).toMatchObject({ changed: false, manifest: { version: 4 } });
    await expect(back(5)).rejects.toMatchObject({
      code: 'version-missing',
      why: expect.stringContaining('4') as string,
    });
    const { faults, links } = await chainOf(publication.store as Store, checkpoint);
    expect(faults).toEqual([]);
    expect(links.at(-1)?.record).toMatchObject({ action: 'rollback', target: 1, forced: true });

    // Verified since: nothing is forced, and the record names the verification.
    const [mask = ''] = one.manifest.masks.map((each) => each.mask);
    await restore(publication, checkpoint, 'a');
    const note = { mask, checkpoint, passed: true, images: undefined };
    const { report } = await recordVerification(publication.store as Store, note, Buffer.from('report'), new Date());
    await back(1, plain);
    expect((await chainOf(publication.store as Store, checkpoint)).links.at(-1)?.record).toMatchObject({
      forced: false,
      masks: [{ concept: 'a', verification: report }],
    });
  });

  it('stores a union anew that is damaged, or sealed with a key that is gone', async () => {
    const [secret, gone] = [randomBytes(16), randomBytes(16)].map((id) => ({
      id: id.toString('hex'),
      secret: randomBytes(32),
    }));
    if (secret === undefined || gone === undefined) throw new TypeError('two secrets');
    const own = await openStore(await server.connect(), 1, 30_000, { secrets: [secret] });
    const other = await openStore(await server.connect(), 1, 30_000, { secrets: [gone] });
    const checkpoint = newCheckpoint();
    const publication = publicationOf(own);
    await apply(publication, checkpoint, 'a');
    const { manifest } = await apply(publication, checkpoint, 'b');
    const union = maskBlob(manifest.union ?? '');
    const whole = await own.masks.get(union);
    for (const spoil of [
      () => own.masks.put(union, whole.subarray(1)),
      () => own.blobs.put(union, Buffer.from('LETHESB1, and no more')),
      () => other.masks.put(union, whole),
      () => own.blobs.delete(union),
    ])
      for (const changed of [true, false]) {
        if (changed) await restore(publication, checkpoint, 'b');
        await spoil();
        const again = await apply(publication, checkpoint, 'b');
        expect(again).toMatchObject({ changed, manifest: { union: manifest.union } });
        expect(await own.masks.get(union)).toEqual(whole);
      }
  });

  it('stores a mask anew that is damaged, and puts no plain one in the place of one that is sealed', async () => {
    const bare = await store();
    const secret = { id: 'cd'.repeat(16), secret: randomBytes(32) };
    const own = await openStore(await server.connect(), 1, 30_000, { secrets: [secret] });
    const mask = maskAt(newCheckpoint(), 'a', 0);
    const name = maskBlob(await publishMask(own.masks, mask));
    const whole = await own.masks.get(name);
    await own.masks.put(name, whole.subarray(1));
    await publishMask(own.masks, mask);
    expect(await own.masks.get(name)).toEqual(whole);
    await publishMask(bare.masks, mask);
    expect(isSealed(await bare.blobs.get(name))).toBe(true);
  });

  it('goes above what serving processes report, and does not believe what no coordinator can have published', async () => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const reporting = (version: number) => publicationOf(own, { reportedVersion: () => Promise.resolve(version) });
    expect((await apply(reporting(41), checkpoint, 'a')).manifest.version).toBe(42);
    expect((await apply(reporting(2 ** 53 - 1), checkpoint, 'b')).manifest.version).toBe(43);
  });

  it('publishes what is active again where serving processes have seen a higher version, as after a backup', async () => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const reporting = (version: number) => publicationOf(own, { reportedVersion: () => Promise.resolve(version) });
    const rollback = { kind: 'rollback', target: 1 } as const;
    const { manifest } = await apply(reporting(0), checkpoint, 'a');
    const again = await apply(reporting(8), checkpoint, 'a');
    expect(again).toMatchObject({ changed: true, manifest: { version: 9, masks: manifest.masks } });
    expect(await publishChange(reporting(11), checkpoint, rollback, forced)).toMatchObject({
      changed: true,
      manifest: { version: 12, masks: manifest.masks, union: manifest.union },
    });
    expect((await chainOf(own, checkpoint)).standing).toEqual({ kind: 'in-step', version: 12 });
    // As when they follow, or tell what no coordinator can have published.
    for (const reported of [12, 2 ** 53 - 1]) {
      expect(await apply(reporting(reported), checkpoint, 'a')).toMatchObject({ changed: false });
      expect(await publishChange(reporting(reported), checkpoint, rollback, forced)).toMatchObject({ changed: false });
    }
  });

  it('signs the same masks anew under another key', async () => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const before = await apply(publicationOf(own), checkpoint, 'a');
    const next = newKey();
    const both = trustIn(key, next);
    const publication = publicationOf(own, { keyring: keyringOf(next, both) });
    const signed = await publishChange(publication, checkpoint, { kind: 'sign' }, plain);
    expect(signed).toMatchObject({ changed: true, manifest: { version: 2, masks: before.manifest.masks } });
    const retired = trustIn([key, 'retired'], next);
    const list = { keys: retired.keys.map((each) => ({ ...each, since: new Date().toISOString() })) };
    expect(await chainOf(own, checkpoint, list)).toMatchObject({
      faults: [],
      standing: { kind: 'in-step', version: 2 },
    });
  });

  it('seals what becomes active, also what was stored before there was a key', async () => {
    const secret = { id: 'ab'.repeat(16), secret: randomBytes(32) };
    const bare = await store();
    const checkpoint = newCheckpoint();
    const mask = await publishMask(bare.masks, maskAt(checkpoint, 'a', 0));
    const stored = await bare.blobs.get(maskBlob(mask));
    expect(isSealed(stored)).toBe(false);
    const own = await openStore(await server.connect(), 1, 30_000, { secrets: [secret] });
    const { manifest } = await apply(publicationOf(own), checkpoint, 'a');
    await apply(publicationOf(own), checkpoint, 'b');
    for (const hash of [mask, manifest.union ?? '']) {
      expect(isSealed(await own.blobs.get(maskBlob(hash)))).toBe(true);
      expect(Buffer.compare(await own.masks.get(maskBlob(hash)), stored)).toBe(0);
      await expect(bare.masks.get(maskBlob(hash))).rejects.toMatchObject({ code: 'blob-sealed' });
    }
  });

  it('seals what was active before there was a key when it is applied once more, and makes no version of that', async () => {
    const secret = { id: 'ef'.repeat(16), secret: randomBytes(32) };
    const bare = await store();
    const checkpoint = newCheckpoint();
    await apply(publicationOf(bare), checkpoint, 'a');
    const { manifest, digest } = await apply(publicationOf(bare), checkpoint, 'b');
    const own = await openStore(await server.connect(), 1, 30_000, { secrets: [secret] });
    const change = { kind: 'change', apply: manifest.masks.slice(1), restore: [] } as const;
    expect(await publishChange(publicationOf(own), checkpoint, change, forced)).toMatchObject({
      changed: false,
      digest,
    });
    for (const hash of [...manifest.masks.map(({ mask }) => mask), manifest.union ?? ''])
      expect(isSealed(await own.blobs.get(maskBlob(hash)))).toBe(true);
  });
});
