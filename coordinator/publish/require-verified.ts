import { LetheError } from '../../shared/error/lethe-error.ts';
import type { RecordedMask } from '../../shared/manifest/change-record.ts';
import type { ActiveMask } from '../../shared/manifest/manifest.ts';
import type { Store } from '../store/store.ts';
import { verificationOf } from './verification.ts';

/** Masks with the verifications that they have passed on this checkpoint. */
export function withVerifications(
  store: Pick<Store, 'verifications'>,
  checkpoint: string,
  masks: readonly ActiveMask[],
): Promise<readonly RecordedMask[]> {
  return Promise.all(
    masks.map(async ({ concept, mask }) => {
      const found = await verificationOf(store, mask);
      const counts = found?.passed === true && found.checkpoint === checkpoint;
      return { concept, mask, ...(counts ? { verification: found.report } : {}) };
    }),
  );
}

/**
 * @returns whether some of them are active only because that is forced
 * @throws LetheError `mask-unverified` naming those that no verification stands behind, unless it is forced
 */
export function requireVerified(masks: readonly RecordedMask[], force: boolean): boolean {
  const unverified = masks.filter(({ verification }) => verification === undefined);
  if (unverified.length === 0 || force) return unverified.length > 0;
  throw new LetheError('mask-unverified', {
    what: 'cannot make the masks active',
    where: unverified.map(({ concept, mask }) => `${concept} (${mask.slice(0, 12)})`).join(', '),
    why: 'no verification stands behind them',
    next: 'run `lethe verify CAMPAIGN.yaml` first, or add --force --reason TEXT: the audit log keeps both',
  });
}
