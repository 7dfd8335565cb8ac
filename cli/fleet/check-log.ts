import type { AuditContext } from '../../gen/fleet/v1/mask.ts';
import { AuditChain, type ChainLink, type ManifestStanding } from '../../shared/manifest/audit-chain.ts';
import { parseTrustList, readTrustList, type TrustList } from '../../shared/manifest/trust-list.ts';
import type { FleetClient } from './fleet-client.ts';

/** An audit log that was checked. */
export interface CheckedLog {
  readonly checkpoint: string;
  readonly links: readonly ChainLink[];
  readonly standing: ManifestStanding;
  /** What it was checked by: a file of this machine, or the coordinator's word. */
  readonly trustedBy: string;
}

/** The log of a fleet where nothing was ever active. @param address of its coordinator */
export function emptyLog(address: string): CheckedLog {
  return { checkpoint: '', links: [], standing: { kind: 'none' }, trustedBy: `the coordinator at ${address}` };
}

/** What is asked of a coordinator. */
type AuditSource = Pick<FleetClient, 'audit' | 'address'>;

/** Reads the audit log of a checkpoint and checks it. @param file of the trust list; undefined: the coordinator's */
export async function checkLog(client: AuditSource, checkpoint: string, file: string | undefined): Promise<CheckedLog> {
  const first = await checkOnce(client, checkpoint, file);
  // The manifest is read before the log: two changes may have been made in between.
  return first.standing.kind === 'stale' ? checkOnce(client, checkpoint, file) : first;
}

async function checkOnce(client: AuditSource, checkpoint: string, file: string | undefined): Promise<CheckedLog> {
  let context: AuditContext | undefined;
  let chain: AuditChain | undefined;
  const links: ChainLink[] = [];
  for await (const { entry } of client.audit(checkpoint)) {
    if (entry?.$case === 'context') {
      context = entry.value;
      chain = new AuditChain(checkpoint, await trustOf(context, client, file));
    } else if (entry?.$case === 'record' && chain !== undefined)
      links.push(chain.take(entry.value.sequence, entry.value.data, entry.value.storedAt));
  }
  const standing = chain?.standing(context?.manifest) ?? { kind: 'none' as const };
  return { checkpoint, links, standing, trustedBy: file ?? `the coordinator at ${client.address}` };
}

async function trustOf(
  { trustList }: AuditContext,
  { address }: AuditSource,
  file: string | undefined,
): Promise<TrustList> {
  return file === undefined ? parseTrustList(trustList, `trust list of ${address}`) : readTrustList(file);
}
