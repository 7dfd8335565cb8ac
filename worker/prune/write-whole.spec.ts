import { expect, it } from 'vitest';
import { writeWhole } from './write-whole.ts';

it('writes on from where a write has ended early', async () => {
  const disk = new Uint8Array(12);
  const file = {
    write: (bytes: Uint8Array, offset: number, length: number, position: number) => {
      const part = bytes.subarray(offset, offset + Math.min(length, 3));
      disk.set(part, position);
      return Promise.resolve({ bytesWritten: part.length });
    },
  };
  await writeWhole(file, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 2);
  expect([...disk]).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0]);
});
