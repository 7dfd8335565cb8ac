import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { newKey, trustIn } from '../../shared/manifest/manifests.spec-support.ts';
import type { TrustList } from '../../shared/manifest/trust-list.ts';
import { largestMask } from '../../shared/mask/largest-mask.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { emojiSd } from '../diffusion/emoji-sd.spec-support.ts';
import { maskWith, siteLayers, someBits } from '../prune/masks.spec-support.ts';
import { type Pruning, pruningOf, unpruned } from '../prune/pruning.ts';
import type { FollowObserver, Standing } from './follow-observer.ts';
import { ManifestFollower, type ManifestSource } from './manifest-follower.ts';
import type { newFleetKey } from './published.spec-support.ts';
import { ServedStateFolder } from './served-state.ts';

/** The one whose signature followers trust. */
export const key = newKey();
export const checkpoint: Checkpoint = await openCheckpoint(emojiSd);
export const id = await checkpointId(checkpoint);
export const masks: readonly Mask[] = [1, 2, 3].map((seed) =>
  maskWith(id, siteLayers(checkpoint, 'attn-value', someBits(seed, 50))),
);
/** Where followers of the present spec keep what they have seen. */
export let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lethe-served-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** A follower whose masks are checked against emoji-sd and loaded nowhere. */
export async function follow(
  more: {
    readonly trust?: () => TrustList;
    readonly fleetKey?: ReturnType<typeof newFleetKey>;
    readonly onStanding?: () => void;
  } = {},
) {
  const refusals: string[] = [];
  const served: number[] = [];
  const released: Pruning[] = [];
  let standing: Standing | undefined;
  const observer: FollowObserver = {
    served: (version) => served.push(version),
    refused: (reason) => refusals.push(reason),
    resolved: () => undefined,
    away: (error) => {
      throw error;
    },
    failed: (error) => {
      throw error;
    },
    standing: (now) => {
      standing = now;
      more.onStanding?.();
    },
  };
  const folder = await ServedStateFolder.open(root, id);
  const trust = more.trust ?? (() => trustIn(key));
  const follower = new ManifestFollower<Pruning>(
    id,
    { trust: async () => Promise.resolve(trust()), fleetKey: more.fleetKey },
    folder,
    {
      largestMask: largestMask(checkpoint),
      prepare: (mask) => Promise.resolve(mask === undefined ? unpruned : pruningOf(mask, checkpoint, id)),
      release: (prepared) => {
        released.push(prepared);
        return Promise.resolve();
      },
    },
    observer,
  );
  await follower.restore();
  return { follower, folder, refusals, served, released, standing: () => standing };
}

/** What is published, without NATS. */
export const holding = (bytes: Uint8Array | undefined, blob: () => Promise<Uint8Array>): ManifestSource => ({
  manifest: () => Promise.resolve(bytes && { bytes, storedAt: Date.now() }),
  blob,
});
