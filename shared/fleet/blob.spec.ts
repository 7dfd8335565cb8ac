import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlobAssembly, chunksOf, summaryOf } from './blob.ts';
import { chunkBytes } from './protocol.ts';

const violated: unknown = expect.objectContaining({ code: 'protocol-violated' });

describe('blobs in chunks', () => {
  it('arrive as they were sent, empty ones too', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (blobs) => {
        const assembly = new BlobAssembly(blobs.map(summaryOf));
        for (const chunk of chunksOf(blobs)) {
          expect(assembly.result).toBeUndefined();
          assembly.add(chunk);
        }
        expect(assembly.result?.map((blob) => [...blob])).toEqual(blobs.map((blob) => [...blob]));
      }),
    );
  });

  it('are cut into pieces of bounded size', () => {
    const blob = new Uint8Array(2 * chunkBytes + 1).fill(7);
    const chunks = [...chunksOf([blob])];
    expect(chunks.map(({ data }) => data.length)).toEqual([chunkBytes, chunkBytes, 1]);
    const assembly = new BlobAssembly([summaryOf(blob)]);
    for (const chunk of chunks) assembly.add(chunk);
    expect(assembly.result?.map((each) => Buffer.compare(each, blob))).toEqual([0]);
  });

  it('are refused when bytes were changed, are too many, out of order, empty or too large', () => {
    const blob = Uint8Array.of(1, 2, 3);
    const add = (...chunks: readonly { readonly blob: number; readonly data: Uint8Array }[]) => {
      const assembly = new BlobAssembly([blob, blob].map(summaryOf));
      return () => {
        for (const chunk of chunks) assembly.add(chunk);
      };
    };
    expect(add({ blob: 0, data: Uint8Array.of(1, 2, 4) })).toThrow(violated);
    expect(add({ blob: 0, data: Uint8Array.of(1, 2, 3, 4) })).toThrow(violated);
    expect(add({ blob: 1, data: blob })).toThrow(violated);
    expect(add({ blob: 0, data: new Uint8Array() })).toThrow(violated);
    expect(add({ blob: 0, data: new Uint8Array(chunkBytes + 1) })).toThrow(violated);
    expect(add({ blob: 0, data: blob }, { blob: 1, data: blob }, { blob: 2, data: blob })).toThrow(violated);
    expect(add({ blob: 0, data: blob }, { blob: 1, data: blob })).not.toThrow();
  });
});
