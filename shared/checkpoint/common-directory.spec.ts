import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commonDirectory } from './common-directory.ts';

const at = (path: string) => join('/', path);

describe('commonDirectory', () => {
  it.each([
    [['cache/blobs/a'], 'cache/blobs'],
    [['m/unet/w', 'm/vae/w'], 'm'],
    [['m/unet/w', 'm/w'], 'm'],
    [['m/w', 'm/unet/w'], 'm'],
    [['m/unet/w', 'm/unet2/w'], 'm'],
    [['a/w', 'b/w'], ''],
    [['a/w', 'w'], ''],
  ])('of %j is /%s', (paths, common) => {
    expect(commonDirectory(paths.map(at))).toBe(at(common));
  });

  it('is empty where there is none', () => {
    expect(commonDirectory([])).toBe('');
  });
});
