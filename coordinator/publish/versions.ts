import { LetheError } from '../../shared/error/lethe-error.ts';
import { AuditChain } from '../../shared/manifest/audit-chain.ts';
import type { ChangeRecord, RecordedMask } from '../../shared/manifest/change-record.ts';
import type { TrustList } from '../../shared/manifest/trust-list.ts';
import type { Store } from '../store/store.ts';

/** Every change that a coordinator has recorded, oldest first. */
export async function* versions(
  audit: Store['audit'],
  checkpoint: string,
  trust: TrustList,
): AsyncGenerator<ChangeRecord, void> {
  const chain = new AuditChain(checkpoint, trust);
  for await (const { sequence, bytes, storedAt } of audit.list(checkpoint)) {
    const { record } = chain.take(sequence, bytes, storedAt);
    if (record !== undefined) yield record;
  }
}

/** What was active in a version. @throws LetheError `version-missing` */
export async function masksOfVersion(
  audit: Store['audit'],
  checkpoint: string,
  trust: TrustList,
  target: number,
): Promise<readonly RecordedMask[]> {
  let last = 0;
  let found: readonly RecordedMask[] | undefined;
  for await (const { version, masks } of versions(audit, checkpoint, trust)) {
    last = version;
    if (version === target) found = masks;
  }
  if (found !== undefined) return found;
  throw new LetheError('version-missing', {
    what: `cannot roll back to version ${target}`,
    where: checkpoint,
    why: last === 0 ? 'nothing was ever active' : `there is no such version; the last one is ${last}`,
    next: '`lethe history` lists those there were',
  });
}
