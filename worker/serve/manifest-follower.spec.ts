import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Blobs } from '../../shared/bus/blobs.ts';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { newKey, trustIn } from '../../shared/manifest/manifests.spec-support.ts';
import { signManifest } from '../../shared/manifest/sign-manifest.ts';
import type { TrustList } from '../../shared/manifest/trust-list.ts';
import { largestMask } from '../../shared/mask/largest-mask.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { emojiSd } from '../diffusion/emoji-sd.spec-support.ts';
import { maskWith, siteLayers, someBits } from '../prune/masks.spec-support.ts';
import { type Pruning, pruningOf, unpruned } from '../prune/pruning.ts';
import { sourceOf } from './fleet-link.ts';
import type { FollowObserver, Standing } from './follow-observer.ts';
import { ManifestFollower, type ManifestSource } from './manifest-follower.ts';
import { manifestOf, newFleetKey, Publisher } from './published.spec-support.ts';
import { ServedStateFolder } from './served-state.ts';

const key = newKey();
const stranger = newKey();
let checkpoint: Checkpoint;
let id: string;
let masks: readonly Mask[];
let root: string;

beforeAll(async () => {
  checkpoint = await openCheckpoint(emojiSd);
  id = await checkpointId(checkpoint);
  masks = [1, 2, 3].map((seed) => maskWith(id, siteLayers(checkpoint, 'attn-value', someBits(seed, 50))));
});
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lethe-served-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** A follower whose masks are checked against emoji-sd and loaded nowhere. */
async function follow(
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
const holding = (bytes: Uint8Array | undefined, blob: () => Promise<Uint8Array>): ManifestSource => ({
  manifest: () => Promise.resolve(bytes && { bytes, storedAt: Date.now() }),
  blob,
});

describe('a follower without NATS', () => {
  it('makes nothing of a manifest in which any one byte is another, or that is cut off anywhere', async () => {
    const { follower, refusals, served, folder } = await follow();
    const blob = vi.fn(() => Promise.reject(new Error('nothing is to be fetched')));
    const signed = signManifest(manifestOf(id, 3, masks[0]), key);
    for (let at = 0; at < signed.length; at++) {
      const altered = Uint8Array.from(signed);
      altered[at] = (altered[at] ?? 0) ^ 0x01;
      await follower.look(holding(altered, blob));
      await follower.look(holding(signed.subarray(0, at), blob));
      expect(follower.current, `byte ${at}`).toBeUndefined();
    }
    expect(blob).not.toHaveBeenCalled();
    expect(served).toEqual([]);
    expect(new Set(refusals)).toEqual(new Set(['malformed', 'unknown-key', 'bad-signature', 'unsigned']));
    expect(folder.state.seen).toBeUndefined();
    expect(follower.waiting).toMatch(/^malformed: /);
  });

  it('makes nothing of the bytes of anything', async () => {
    const { follower } = await follow();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        await follower.look(holding(bytes, () => Promise.reject(new Error('nothing'))));
        expect(follower.current).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  it('loses no notice that comes in the moment in which a look ends', async () => {
    const signed = (version: number) =>
      holding(signManifest(manifestOf(id, version, undefined), key), () => Promise.reject(new Error('nothing')));
    let notice: (() => void) | undefined;
    let second: Promise<void> | undefined;
    const { follower } = await follow({
      onStanding: () => {
        if (notice !== undefined) queueMicrotask(notice);
        notice = undefined;
      },
    });
    notice = () => {
      second = follower.look(signed(2));
    };
    await follower.look(signed(1));
    await second;
    expect(follower.current?.version).toBe(2);
  });

  it('makes nothing of bytes that claim more than a mask of the checkpoint can have, before it inflates them', async () => {
    const { follower } = await follow();
    const limit = largestMask(checkpoint);
    expect(limit).toBeLessThan(2 ** 31 - 1);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(limit + 1));
    const bomb = Buffer.concat([Buffer.from('LETHEMZ1'), length, deflateRawSync(Buffer.alloc(1000))]);
    await follower.look(holding(signManifest(manifestOf(id, 1, masks[0]), key), () => Promise.resolve(bomb)));
    expect(follower.waiting).toMatch(new RegExp(`^mask-damaged: .*at most ${limit} are read`));
  });

  it('serves nothing of a set that it cannot remember', async () => {
    const { follower, refusals } = await follow();
    await rm(root, { recursive: true });
    await writeFile(root, 'no folder');
    await follower.look(holding(signManifest(manifestOf(id, 1, undefined), key), () => Promise.reject(new Error())));
    expect(refusals).toEqual(['cannot-remember']);
    expect(follower.current).toBeUndefined();
  });

  it('refuses everything while the trust list cannot be read, and keeps what it serves', async () => {
    let readable = true;
    const { follower, refusals } = await follow({
      trust: () => {
        if (readable) return trustIn(key);
        throw new Error('gone');
      },
    });
    const publish = (version: number) =>
      follower.look(holding(signManifest(manifestOf(id, version, undefined), key), () => Promise.reject(new Error())));
    await publish(1);
    readable = false;
    await publish(2);
    expect(refusals).toEqual(['trust-unreadable']);
    expect(follower.current?.version).toBe(1);
    readable = true;
    await publish(2);
    expect(follower.current?.version).toBe(2);
  });
});

describe('the state of a follower', () => {
  const keptIn = async (): Promise<string> => join(root, (await readdir(root))[0] ?? '', 'state.json');

  it('is an error when it is damaged, and never an empty one', async () => {
    const { follower } = await follow();
    await follower.look(holding(signManifest(manifestOf(id, 5, undefined), key), () => Promise.reject(new Error())));
    const path = await keptIn();
    const whole = await readFile(path);
    const open = () => ServedStateFolder.open(root, id);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 2), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
        const altered = Uint8Array.from(whole);
        altered[at] = (altered[at] ?? 0) ^ (1 << bit);
        await writeFile(path, altered);
        await expect(open()).rejects.toMatchObject({ code: 'state-damaged' });
      }),
      { numRuns: 60 },
    );
    for (const length of [0, 1, whole.length >> 1, whole.length - 3]) {
      await writeFile(path, whole.subarray(0, length));
      await expect(open()).rejects.toMatchObject({ code: 'state-damaged' });
    }
    await expect(open()).rejects.toMatchObject({ next: expect.stringContaining('history') as string });
    await rm(path);
    await writeFile(`${path}.1.new`, 'what a killed process left');
    expect((await open()).state).toEqual({ seen: undefined, manifest: undefined });
    await writeFile(path, whole);
    expect((await open()).state.seen?.version).toBe(5);
    expect((await ServedStateFolder.open(root, 'sha256:another')).state.seen).toBeUndefined();
  });
});

await describeWithServer('a follower', (server) => {
  let publisher: Publisher;
  let source: ManifestSource;
  let blobs: Blobs;
  beforeAll(async () => {
    const bus = await server.connect();
    publisher = new Publisher(bus);
    blobs = new Blobs(bus);
    source = sourceOf(bus, id);
  });
  /** Versions go on from spec to spec: they share what is published. */
  let version = 0;
  const publish = async (mask: Mask | undefined) => publisher.publish(id, ++version, mask, key);

  it('serves what is published, one set after another, and frees the one before', async () => {
    const { follower, served, released, standing } = await follow();
    expect(follower.waiting).toContain('not been read');
    await follower.look(source);
    expect(follower.waiting).toContain('no masks have been published');
    await publish(masks[0]);
    await follower.look(source);
    const first = follower.current;
    expect(first?.version).toBe(1);
    await publish(masks[1]);
    // At once, as notices come: one look, and at most one more.
    await Promise.all([follower.look(source), follower.look(source), follower.look(source)]);
    expect(follower.current?.prepared.id).not.toBe(first?.prepared.id);
    expect(released).toEqual([first?.prepared]);
    await publish(masks[1]);
    await follower.look(source);
    // The same masks under another version are not loaded again.
    expect(released).toHaveLength(1);
    await publish(undefined);
    await follower.look(source);
    expect(follower.current?.prepared).toBe(unpruned);
    expect(served).toEqual([1, 2, 3, 4]);
    const { digest } = follower.current ?? {};
    expect(standing()).toMatchObject({ served: { version: 4, digest }, seen: 4, refused: undefined });
    expect(standing()?.served?.seconds).toBeGreaterThanOrEqual(0);
  });

  it('refuses forgeries and replays, keeps the last good set, and goes on with the next good one', async () => {
    const old = await publish(masks[0]);
    const good = await publish(masks[1]);
    const { follower, refusals, standing } = await follow({ trust: () => trustIn(key, [retired, 'retired']) });
    await follower.look(source);
    const before = follower.current;
    const refuse = async (bytes: Uint8Array, reason: string): Promise<void> => {
      await publisher.put(id, bytes);
      await follower.look(source);
      expect(refusals.at(-1)).toBe(reason);
      expect(follower.current === before).toBe(true);
      expect(standing()).toMatchObject({ served: { version }, refused: { reason } });
    };
    for (let at = 0; at < good.length; at += 31) {
      const altered = Uint8Array.from(good);
      altered[at] = (altered[at] ?? 0) ^ 0x02;
      await publisher.put(id, altered);
      await follower.look(source);
      expect(follower.current, `byte ${at}`).toBe(before);
    }
    await refuse(old, 'older-version');
    const next = manifestOf(id, version + 1, masks[2]);
    await refuse(signManifest(next, stranger), 'unknown-key');
    await refuse(signManifest(next, retired), 'retired-key');
    await refuse(signManifest({ ...next, checkpoint: `sha256:${'f'.repeat(64)}` }, key), 'wrong-checkpoint');
    await refuse(signManifest({ ...next, version }, key), 'same-version-other-content');
    await refuse(signManifest(next, { ...stranger, id: key.id }), 'bad-signature');
    const count = refusals.length;
    await follower.look(source);
    expect(refusals).toHaveLength(count);

    await publish(masks[2]);
    await follower.look(source);
    expect(follower.current?.version).toBe(version);
    expect(standing()?.refused).toBeUndefined();
  });

  it('refuses masks that are missing, altered, cut off or of another checkpoint, and takes them once they are whole', async () => {
    await publish(masks[0]);
    const { follower, refusals } = await follow();
    await follower.look(source);
    const before = follower.current;
    const name = await publisher.store(masks[1]!);
    const whole = await blobs.get(name);
    const manifest = signManifest(manifestOf(id, ++version, masks[1]), key);
    const attempt = async (reason: string): Promise<void> => {
      await publisher.put(id, manifest);
      await follower.look(source);
      expect(refusals.at(-1)).toBe(reason);
      expect(follower.current === before).toBe(true);
    };
    await blobs.delete(name);
    await attempt('mask-missing');
    for (const at of [0, 7, 9, 40, whole.length >> 1, whole.length - 1]) {
      const altered = Uint8Array.from(whole);
      // Not the last byte's highest bits: they come after the end of the compressed stream, and what it holds is the same.
      altered[at] = (altered[at] ?? 0) ^ 0x01;
      await blobs.put(name, altered);
      await attempt('mask-damaged');
      await blobs.put(name, whole.subarray(0, at));
      await attempt('mask-damaged');
    }
    // Accepted and not served: an older one does not come back in.
    expect(await ServedStateFolder.open(root, id)).toMatchObject({ state: { seen: { version } } });
    await blobs.put(name, whole);
    await follower.look(source);
    expect(follower.current?.version).toBe(version);

    const foreign = maskWith(`sha256:${'e'.repeat(64)}`, masks[0]!.layers);
    await publisher.publish(id, ++version, foreign, key);
    await follower.look(source);
    expect(refusals.at(-1)).toBe('mask-mismatch');
    const [layer] = masks[0]!.layers;
    await publisher.publish(id, ++version, maskWith(id, [{ ...layer!, name: 'no.such.layer' }]), key);
    await follower.look(source);
    expect(refusals.at(-1)).toBe('mask-mismatch');
    expect(follower.current?.version).toBe(version - 2);
  });

  it('opens sealed masks with the fleet key alone', async () => {
    const fleetKey = newFleetKey();
    await publisher.publish(id, ++version, masks[2], key, fleetKey);
    const without = await follow();
    await without.follower.look(source);
    expect(without.refusals).toEqual(['mask-damaged']);
    const other = await follow({ fleetKey: newFleetKey() });
    await other.follower.look(source);
    expect(other.refusals).toEqual(['mask-damaged']);
    const ours = await follow({ fleetKey });
    await ours.follower.look(source);
    expect(ours.follower.current?.version).toBe(version);
    // What is kept beside it stays sealed.
    const [folder = ''] = await readdir(root);
    const kept = (await readdir(join(root, folder))).find((name) => name.endsWith('.mask')) ?? '';
    expect((await readFile(join(root, folder, kept))).subarray(0, 8).toString()).toBe('LETHESB1');
    await publisher.store(masks[2]!);
  });

  it('goes on with what it served when it ended, without NATS, and refuses what is older then too', async () => {
    const old = await publish(masks[0]);
    await publish(masks[1]);
    const first = await follow();
    await first.follower.look(source);
    const second = await follow();
    expect(second.follower.current).toMatchObject({ version, digest: first.follower.current?.digest });
    expect(second.follower.current?.prepared.id).toBe(first.follower.current?.prepared.id);
    await publisher.put(id, old);
    await second.follower.look(source);
    expect(second.refusals).toEqual(['older-version']);
    expect(second.follower.current?.version).toBe(version);

    // Somebody has put another mask beside it, or its key is retired: nothing is served by that.
    const [folder = ''] = await readdir(root);
    for (const name of await readdir(join(root, folder)))
      if (name.endsWith('.mask')) await writeFile(join(root, folder, name), 'another');
    expect((await follow()).refusals).toEqual(['mask-damaged']);
    expect((await follow({ trust: () => trustIn([key, 'retired']) })).refusals).toEqual(['retired-key']);
  });

  it('keeps the signature of the new key when keys are rotated', async () => {
    const fresh = newKey();
    await publish(masks[0]);
    const { follower } = await follow({ trust: () => trustIn(key, fresh) });
    await follower.look(source);
    await publisher.put(id, signManifest(manifestOf(id, version, masks[0]), fresh));
    await follower.look(source);
    const after = await follow({ trust: () => trustIn([key, 'retired'], fresh) });
    expect(after.follower.current?.version).toBe(version);
  });
});

const retired = newKey();
