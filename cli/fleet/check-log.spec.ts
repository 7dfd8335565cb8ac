import { expect, it } from 'vitest';
import type { AuditEntry } from '../../gen/fleet/v1/mask.ts';
import { type ChangeRecord, manifestOf, recordHash, signRecord } from '../../shared/manifest/change-record.ts';
import { checkpoint, manifest, newKey, trustIn } from '../../shared/manifest/manifests.spec-support.ts';
import { signManifest } from '../../shared/manifest/sign-manifest.ts';
import { type TrustList, trustListText } from '../../shared/manifest/trust-list.ts';
import { faultsOf } from '../output/audit-text.ts';
import { checkLog } from './check-log.ts';

const key = newKey();
const when = '2026-03-04T05:06:07.000Z';
const made: { readonly record: Buffer; readonly manifest: Buffer }[] = [];
for (const version of [1, 2, 3]) {
  const before = made.at(-1)?.record;
  const record: ChangeRecord = {
    format: 'lethe-audit-1',
    checkpoint,
    version,
    when,
    who: 'ada',
    why: '',
    action: 'apply',
    forced: false,
    masks: [...manifest.masks],
    union: manifest.union,
    ...(before === undefined ? {} : { previous: recordHash(before) }),
  };
  const bytes = signRecord(record, key);
  const signed = signManifest(manifestOf(record, recordHash(bytes)), key);
  made.push({ record: Buffer.from(bytes), manifest: Buffer.from(signed) });
}

/** A coordinator that answers with the three records and, one after the other, these manifests. */
const answering = (versions: readonly (number | undefined)[], trust: TrustList = trustIn(key), storedAt = 0) => {
  const left = [...versions];
  return {
    address: '127.0.0.1:1',
    // eslint-disable-next-line @typescript-eslint/require-await -- entries come one by one
    async *audit(): AsyncGenerator<AuditEntry, void> {
      const version = left.shift();
      const published = version === undefined ? undefined : made[version - 1]?.manifest;
      yield { entry: { $case: 'context', value: { manifest: published, trustList: trustListText(trust) } } };
      for (const [i, { record }] of made.entries())
        yield { entry: { $case: 'record', value: { sequence: i + 1, data: record, storedAt } } };
    },
    left,
  };
};

it('names a manifest that was put back or removed, after it has looked twice', async () => {
  for (const version of [1, undefined]) {
    const log = await checkLog(answering([version, version]), checkpoint, undefined);
    expect(log.standing).toEqual({ kind: 'stale', version: 3, published: version });
    expect(faultsOf(log)).toEqual([expect.stringContaining('version 3 was decided more than one change ago')]);
  }
});

it('finds no fault where two changes were made while it read', async () => {
  const log = await checkLog(answering([1, 3]), checkpoint, undefined);
  expect(log).toMatchObject({ standing: { kind: 'in-step', version: 3 } });
  expect(log.links).toHaveLength(3);
  expect(faultsOf(log)).toEqual([]);
});

it('finds no fault where the newest record alone is not published, and does not look again', async () => {
  const source = answering([2, 3]);
  const log = await checkLog(source, checkpoint, undefined);
  expect(log.standing).toEqual({ kind: 'unpublished', version: 3, published: 2 });
  expect(faultsOf(log)).toEqual([]);
  expect(source.left).toEqual([3]);
});

it('judges what a retired key has signed by when NATS stored it', async () => {
  const next = newKey();
  const since = '2026-03-04T06:00:00.000Z';
  const trust = { keys: trustIn([key, 'retired'], next).keys.map((each) => ({ ...each, since })) };
  const kinds = async (storedAt: number): Promise<readonly string[]> => {
    const { links } = await checkLog(answering([3], trust, storedAt), checkpoint, undefined);
    return links.flatMap(({ faults }) => faults.map(({ kind }) => kind));
  };
  expect(await kinds(Date.parse(when))).toEqual([]);
  expect(await kinds(Date.parse(since) + 3_600_000)).toEqual(['forged', 'forged', 'forged']);
});
