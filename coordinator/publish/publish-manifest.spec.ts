import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { decodeMask } from '../../shared/mask/mask-file.ts';
import { decompressMask } from '../../shared/mask/mask-storage.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { openStore, type Store } from '../store/store.ts';
import { changedMasks, type ManifestChange } from './manifest.ts';
import { publishManifest, readManifest } from './publish-manifest.ts';
import { maskBlob, publishMask } from './publish-mask.ts';

const checkpoint = `sha256:${'c'.repeat(64)}`;
/** Prunes one weight of a layer of 1 x 8. */
const maskAt = (concept: string, bit: number, of = checkpoint): Mask => ({
  checkpoint: of,
  parts: [{ concept, method: 'conceptprune', settings: {} }],
  timesteps: [],
  layers: [{ site: 'ffn2', name: 'a', union: { rows: 1, columns: 8, bytes: Uint8Array.of(1 << bit) }, steps: [] }],
});

describe('changedMasks', () => {
  it('gives the same whatever the order of changes of different concepts', () => {
    const change = fc.record({
      concept: fc.constantFrom('a', 'b', 'c', 'd'),
      mask: fc.option(fc.constantFrom('1'.repeat(64), '2'.repeat(64)), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(change, { selector: ({ concept }) => concept }), (changes) => {
        const asChange = ({ concept, mask }: (typeof changes)[number]): ManifestChange =>
          mask === undefined ? { apply: [], restore: [concept] } : { apply: [{ concept, mask }], restore: [] };
        const start = [{ concept: 'a', mask: '0'.repeat(64) }];
        const after = (list: typeof changes) => list.map(asChange).reduce(changedMasks, start);
        expect(after(changes.toReversed())).toEqual(after(changes));
      }),
    );
  });
});

await describeWithServer('publishManifest', (server) => {
  const store = async (): Promise<Store> => openStore(await server.connect(), 1, 30_000);

  it('makes candidates active as their union, under a version that grows, and says so', async () => {
    const [one, two] = [await store(), await store()];
    const look = vi.fn();
    await two.broadcast.listen('manifest', look);
    const neon = await publishMask(one.blobs, maskAt('Neon', 0));
    const poster = await publishMask(one.blobs, maskAt('Poster', 3));
    expect(await readManifest(one, checkpoint)).toBeUndefined();

    // At once, by two: neither change is lost.
    await Promise.all([
      publishManifest(one, checkpoint, { apply: [{ concept: 'Neon', mask: neon }], restore: [] }),
      publishManifest(two, checkpoint, { apply: [{ concept: 'Poster', mask: poster }], restore: [] }),
    ]);
    const manifest = await readManifest(two, checkpoint);
    expect(manifest).toMatchObject({
      version: 2,
      masks: [
        { concept: 'Neon', mask: neon },
        { concept: 'Poster', mask: poster },
      ],
    });
    const union = manifest?.union ?? '';
    const mask = decodeMask(await decompressMask(await two.blobs.get(maskBlob(union)), union));
    expect(mask.parts.map(({ concept }) => concept)).toEqual(['Neon', 'Poster']);
    expect([...(mask.layers[0]?.union.bytes ?? [])]).toEqual([0b1001]);
    await vi.waitFor(() => {
      expect(look).toHaveBeenCalledTimes(2);
    });

    const same = await publishManifest(one, checkpoint, { apply: [{ concept: 'Neon', mask: neon }], restore: ['x'] });
    expect(same.version).toBe(2);
    const restored = await publishManifest(one, checkpoint, { apply: [], restore: ['Neon', 'Poster'] });
    expect(restored).toMatchObject({ version: 3, masks: [] });
    expect(restored.union).toBeUndefined();
  });

  it('refuses a mask that is not there and one of another checkpoint, and changes nothing', async () => {
    const own = await store();
    const other = `sha256:${'d'.repeat(64)}`;
    const foreign = await publishMask(own.blobs, maskAt('Ink', 1));
    const apply = (mask: string) => publishManifest(own, other, { apply: [{ concept: 'Ink', mask }], restore: [] });
    await expect(apply('0'.repeat(64))).rejects.toMatchObject({ code: 'blob-missing' });
    await expect(apply(foreign)).rejects.toMatchObject({ code: 'mask-mismatch' });
    expect(await readManifest(own, other)).toBeUndefined();
  });
});
