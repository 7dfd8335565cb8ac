import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signManifest } from '../../shared/manifest/sign-manifest.ts';
import { manifestOf } from './published.spec-support.ts';
import { ServedStateFolder } from './served-state.ts';
import { follow, holding, id, key, root } from './followers.spec-support.ts';

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
