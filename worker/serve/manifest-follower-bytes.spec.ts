import { rm, writeFile } from 'node:fs/promises';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { trustIn } from '../../shared/manifest/manifests.spec-support.ts';
import { signManifest } from '../../shared/manifest/sign-manifest.ts';
import { largestMask } from '../../shared/mask/largest-mask.ts';
import { manifestOf } from './published.spec-support.ts';
import { checkpoint, follow, holding, id, key, masks, root } from './followers.spec-support.ts';

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
