import { judgeManifest, type SeenManifest } from '../../shared/manifest/judge-manifest.ts';
import type { FleetKey } from '../../shared/manifest/fleet-key.ts';
import type { Manifest } from '../../shared/manifest/manifest.ts';
import type { TrustList } from '../../shared/manifest/trust-list.ts';
import type { FollowRefusal } from './follow-observer.ts';

/** What manifests and masks are opened with. */
export interface FollowKeys {
  /** Read for every judgement: the file changes under a running process. @throws LetheError `key-invalid` */
  readonly trust: () => Promise<TrustList>;
  readonly fleetKey: FleetKey | undefined;
}

export interface Refused {
  readonly kind: 'refused';
  readonly reason: FollowRefusal;
  readonly why: string;
}

export interface Accepted {
  readonly kind: 'accepted';
  readonly manifest: Manifest;
  readonly digest: string;
}

export function refused(reason: FollowRefusal, error: unknown): Refused {
  return { kind: 'refused', reason, why: error instanceof Error ? error.message : String(error) };
}

/** `judgeManifest` by the trust list as it is now; without one, nothing is accepted. */
export async function judgePublished(
  bytes: Uint8Array,
  checkpoint: string,
  keys: FollowKeys,
  seen: SeenManifest | undefined,
): Promise<Accepted | Refused> {
  try {
    return judgeManifest(bytes, { checkpoint, trust: await keys.trust(), seen });
  } catch (error) {
    return refused('trust-unreadable', error);
  }
}
