import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuditChain } from './audit-chain.ts';
import { type ChangeRecord, manifestOf, recordHash, signRecord } from './change-record.ts';
import { checkpoint, manifest, newKey, trustIn } from './manifests.spec-support.ts';
import { signManifest } from './sign-manifest.ts';
import { signStatement } from './statement.ts';
import type { TrustList } from './trust-list.ts';

const key = newKey();
const trust = trustIn(key);

const recordAt = (version: number, previous: Uint8Array | undefined, change: object = {}): ChangeRecord => ({
  format: 'lethe-audit-1',
  checkpoint,
  version,
  when: '2026-03-04T05:06:07.000Z',
  who: 'ada@example',
  why: 'a reason',
  action: 'apply',
  forced: false,
  masks: manifest.masks.map((each) => ({ ...each, verification: '9'.repeat(64) })),
  union: manifest.union,
  ...(previous === undefined ? {} : { previous: recordHash(previous) }),
  ...change,
});
const signed = (version: number, previous?: Uint8Array, change?: object): Uint8Array =>
  signRecord(recordAt(version, previous, change), key);

const one = signed(1);
const two = signed(2, one);
const three = signed(5, two, { masks: [], union: undefined, action: 'restore' });

/** When NATS stores the records: when they say that they were made. */
const stored = Date.parse('2026-03-04T05:06:07.000Z');
const faultsOf = (records: readonly Uint8Array[], by: TrustList = trust, storedAt = stored): readonly string[] => {
  const chain = new AuditChain(checkpoint, by);
  return records.flatMap((bytes, i) => {
    const { faults, sequence } = chain.take(10 + i, bytes, storedAt);
    return faults.map(({ kind }) => `${sequence} ${kind}`);
  });
};
const manifestFor = (bytes: Uint8Array): Uint8Array => {
  const chain = new AuditChain(checkpoint, trust);
  const { record, hash } = chain.take(1, bytes, stored);
  if (record === undefined) throw new TypeError('forged');
  return signManifest(manifestOf(record, hash), key);
};
const standing = (records: readonly Uint8Array[], published: Uint8Array | undefined) => {
  const chain = new AuditChain(checkpoint, trust);
  records.forEach((bytes, i) => chain.take(i + 1, bytes, stored));
  return chain.standing(published);
};

describe('AuditChain', () => {
  it('finds nothing wrong with records that follow from one another', () => {
    expect(faultsOf([one, two, three])).toEqual([]);
    expect(standing([one, two, three], manifestFor(three))).toEqual({ kind: 'in-step', version: 5 });
    expect(standing([], undefined)).toEqual({ kind: 'none' });
  });

  it.each<[string, readonly Uint8Array[], readonly string[]]>([
    ['a record that is missing', [one, three], ['11 gap']],
    ['the first one missing', [two, three], ['10 gap']],
    ['two changed round', [two, one, three], ['10 gap', '11 broken-link', '11 version-not-growing', '12 broken-link']],
    ['a second beginning', [one, two, signed(3)], ['12 broken-link']],
    ['a branch', [one, two, signed(3, one)], ['12 broken-link']],
    ['a version that does not grow', [one, two, signed(2, two)], ['12 version-not-growing']],
    ['a copy', [one, two, one], ['12 forged']],
    ["another checkpoint's", [one, signed(2, one, { checkpoint: 'other' })], ['11 forged']],
    ['a stranger', [one, signRecord(recordAt(2, one), newKey()), two], ['11 forged']],
    ['no statement', [one, Buffer.from('{}'), two], ['11 forged']],
    ['a manifest', [one, signManifest(manifest, key), two], ['11 forged']],
    [
      'a statement of another shape',
      [signStatement('record', { ...recordAt(1, undefined), more: 1 }, key)],
      ['10 forged'],
    ],
  ])('names %s', (_, records, faults) => {
    expect(faultsOf(records)).toEqual(faults);
  });

  it('names every record in which a single byte is another; what follows it then has a gap', () => {
    fc.assert(
      fc.property(fc.nat(two.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const altered = Uint8Array.from(two);
        altered[at] = (altered[at] ?? 0) ^ flip;
        expect(faultsOf([one, altered, three])).toEqual(['11 forged', '12 gap']);
      }),
      { numRuns: 500 },
    );
  });

  it('takes a forged record for no part of the chain', () => {
    const chain = new AuditChain(checkpoint, trust);
    for (const bytes of [one, Buffer.from('junk'), two]) chain.take(1, bytes, stored);
    expect(chain.head).toMatchObject({ hash: recordHash(two), record: { version: 2 } });
  });

  it('counts what a key signed before it was retired, and nothing after', () => {
    const retired = (since: string): TrustList => ({
      keys: trustIn([key, 'retired']).keys.map((each) => ({ ...each, since })),
    });
    expect(faultsOf([one, two], retired('2026-03-04T05:06:08.000Z'))).toEqual([]);
    expect(faultsOf([one, two], retired('2026-03-04T04:06:08.000Z'))).toEqual(['10 forged', '11 forged']);
  });

  it('does not believe the time that the holder of a retired key writes: what was stored later is forged', () => {
    const since = '2026-03-04T05:06:08.000Z';
    const retired: TrustList = {
      keys: trustIn([key, 'retired']).keys.map((each) => ({ ...each, since })),
    };
    const after = Date.parse(since) + 3_600_000;
    expect(faultsOf([one, two], retired, after)).toEqual(['10 forged', '11 forged']);
    // An active key's records may be stored whenever that was: a log that was put back from a backup is one.
    expect(faultsOf([one, two], trust, after)).toEqual([]);
    // A coordinator of a build that does not tell when: by the record's own time, as far as it goes.
    expect(faultsOf([one, two], retired, 0)).toEqual([]);
  });

  it('says where the manifest stands', () => {
    expect(standing([one], undefined)).toEqual({ kind: 'unpublished', version: 1, published: undefined });
    expect(standing([one, two], undefined)).toEqual({ kind: 'stale', version: 2, published: undefined });
    expect(standing([one, two, three], manifestFor(two))).toEqual({ kind: 'unpublished', version: 5, published: 2 });
    expect(standing([one, two, three], manifestFor(one))).toEqual({ kind: 'stale', version: 5, published: 1 });
    // What is no part of the chain comes between nothing.
    const junk = Buffer.from('junk');
    expect(standing([one, junk, two, junk], manifestFor(one))).toMatchObject({ kind: 'unpublished', published: 1 });
    expect(standing([one, two], manifestFor(one))).toEqual({ kind: 'unpublished', version: 2, published: 1 });
    expect(standing([one], manifestFor(two))).toMatchObject({ kind: 'without-record', version: 2 });
    expect(standing([one, two], Buffer.from('{}'))).toMatchObject({ kind: 'refused', reason: 'malformed' });
    const other = signManifest(
      { ...manifest, version: 2, masks: manifest.masks.slice(1), audit: recordHash(two) },
      key,
    );
    expect(standing([one, two], other)).toMatchObject({ kind: 'without-record', version: 2 });
  });
});
