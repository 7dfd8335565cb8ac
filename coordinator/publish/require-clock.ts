import { LetheError } from '../../shared/error/lethe-error.ts';
import { clockSkewMs } from '../../shared/manifest/audit-chain.ts';

/**
 * Refuses to sign a time that NATS's clock contradicts: once its key is retired, a record from the future would count as
 * forged for ever.
 *
 * @param own this coordinator's clock, `stored` NATS's; milliseconds since 1970
 * @throws LetheError `clock-contradicted`
 */
export function requireClock(own: number, stored: number, checkpoint: string): void {
  const difference = own - stored;
  if (Math.abs(difference) <= clockSkewMs) return;
  throw new LetheError('clock-contradicted', {
    what: 'cannot sign the change',
    where: checkpoint,
    why: `this coordinator's clock is ${Math.round(Math.abs(difference) / 1000)} s ${difference > 0 ? 'ahead of' : 'behind'} that of NATS`,
    next: 'set the clocks of both machines by NTP, then make the change again',
  });
}
