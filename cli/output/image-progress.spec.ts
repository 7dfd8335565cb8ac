import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { imageProgress } from './image-progress.ts';

describe('imageProgress', () => {
  it('never shows more units than there are, though jobs become known one after the other', () => {
    const stream = new PassThrough();
    const { update } = imageProgress(stream as unknown as NodeJS.WriteStream);
    for (const [ended, total] of [
      [0, 0],
      [0, 20],
      [20, 20],
      [30, 60],
      [60, 60],
    ] as const)
      update({ images: 480, stored: 0, unetCalls: 0, units: { ended, total } });
    expect(String(stream.read()).trimEnd().split('\n')).toEqual([
      'drawing 480 of 480 images 0/20 units',
      'drawing 480 of 480 images 20/20 units',
      'drawing 480 of 480 images 30/60 units',
      'drawing 480 of 480 images 60/60 units',
    ]);
  });
});
