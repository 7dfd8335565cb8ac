import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { Blobs } from '../../shared/bus/blobs.ts';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { newKey, trustIn } from '../../shared/manifest/manifests.spec-support.ts';
import { signManifest } from '../../shared/manifest/sign-manifest.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { maskWith } from '../prune/masks.spec-support.ts';
import { unpruned } from '../prune/pruning.ts';
import { sourceOf } from './fleet-link.ts';
import type { ManifestSource } from './manifest-follower.ts';
import { manifestOf, newFleetKey, Publisher } from './published.spec-support.ts';
import { ServedStateFolder } from './served-state.ts';
import { follow, id, key, masks, root } from './followers.spec-support.ts';

const stranger = newKey();

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
