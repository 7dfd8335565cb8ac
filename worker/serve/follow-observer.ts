import type { ActiveMask } from '../../shared/manifest/manifest.ts';
import type { RefusalReason } from '../../shared/manifest/judge-manifest.ts';

/** Why what is published is not served: of the manifest and its mask, or of this machine (the last three). */
export type FollowRefusal = RefusalReason | 'trust-unreadable' | 'cannot-prepare' | 'cannot-remember';

/** What a follower serves, and what stands against serving more. */
export interface Standing {
  readonly served:
    { readonly version: number; readonly digest: string; readonly seconds: number | undefined } | undefined;
  /** The highest version accepted. */
  readonly seen: number | undefined;
  readonly refused: { readonly reason: FollowRefusal; readonly why: string } | undefined;
}

/** Who is told what a follower does. */
export interface FollowObserver {
  /** Requests that begin now are made under this version. `seconds` since its publication; undefined for one that was kept. */
  served(version: number, masks: readonly ActiveMask[], seconds: number | undefined): void;
  /** What is published is refused; the same once. */
  refused(reason: FollowRefusal, why: string): void;
  /** What is published is good again. */
  resolved(version: number): void;
  /** NATS does not answer; it is asked again. */
  away(error: unknown): void;
  /** The masks before could not be freed. */
  failed(error: unknown): void;
  /** What is true now, whenever that has changed. */
  standing(standing: Standing): void;
}
