import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { lengthField, newDirectory, refusal, safetensorsFile } from './fixture.spec-support.ts';
import { readSafetensors } from './read-safetensors.ts';
import { bitsOf } from './tensor-dtype.ts';

describe('readSafetensors', () => {
  let directory: string;
  beforeAll(async () => void (directory = await newDirectory()));
  afterAll(() => rm(directory, { recursive: true }));

  const valid = safetensorsFile(
    [
      { name: 'encoder.weight', dtype: 'F16', shape: [2, 3] },
      { name: 'encoder.bias', dtype: 'F32', shape: [3] },
      { name: 'count', dtype: 'I64', shape: [] },
    ],
    { format: 'pt' },
  );

  async function stored(bytes: Uint8Array): Promise<string> {
    const path = join(directory, 'w.safetensors');
    await writeFile(path, bytes);
    return path;
  }

  it('reads the header of a file far larger than memory', async () => {
    const path = join(directory, 'sparse.safetensors');
    const size = 2 ** 38;
    const header = (bytes: number) =>
      Buffer.from(`{"t":{"dtype":"U8","shape":[${bytes}],"data_offsets":[0,${bytes}]}}`.padEnd(100));
    await writeFile(path, Buffer.concat([lengthField(100n), header(size - 108)]));
    await truncate(path, size);
    expect((await readSafetensors(path)).tensors.get('t')).toMatchObject({ begin: 108, end: size });
  });

  it('allocates no more than the file has, whatever length the header claims', async () => {
    const sizes: number[] = [];
    const construct = (target: typeof Uint8Array, given: unknown[]): object => {
      if (typeof given[0] === 'number') sizes.push(given[0]);
      return Reflect.construct(target, given) as object;
    };
    vi.stubGlobal('Uint8Array', new Proxy(Uint8Array, { construct }));
    try {
      for (const claimed of [1_000n, 99_999_999n, 2n ** 63n]) {
        const path = await stored(Buffer.concat([lengthField(claimed), Buffer.from('{}')]));
        expect(await refusal(() => readSafetensors(path))).toContain(`claims ${claimed} bytes`);
      }
      await readSafetensors(await stored(valid));
    } finally {
      vi.unstubAllGlobals();
    }
    expect(sizes.length).toBeGreaterThan(0);
    expect(Math.max(...sizes)).toBeLessThan(valid.length);
  });

  it('says what the system says of a file that is not there, and refuses directories and devices', async () => {
    expect(await refusal(() => readSafetensors(join(directory, 'none')))).toContain('ENOENT');
    await mkdir(join(directory, 'folder.safetensors'));
    expect(await refusal(() => readSafetensors(join(directory, 'folder.safetensors')))).toContain('not a regular file');
    if (process.platform !== 'win32') {
      expect(await refusal(() => readSafetensors('/dev/zero'))).toContain('not a regular file');
    }
  });

  it('reads a mutated file as another valid one or refuses it, and throws nothing else', async () => {
    const mutation = fc.record({ at: fc.nat(valid.length - 1), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
        const bytes = Uint8Array.from(valid);
        for (const { at, byte } of mutations) bytes[at] = byte;
        const path = await stored(bytes);
        const said = await refusal(async () => {
          const file = await readSafetensors(path);
          for (const { shape, dtype, begin, end } of file.tensors.values()) {
            expect(begin).toBeGreaterThanOrEqual(8);
            expect(end).toBeLessThanOrEqual(valid.length);
            expect(shape.reduce((a, b) => a * b, bitsOf[dtype]) / 8).toBe(end - begin);
          }
        });
        expect(said).toMatch(/^(not refused|safetensors-invalid: )/);
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses every truncation', async () => {
    for (let length = 0; length < valid.length; length++) {
      const path = await stored(valid.subarray(0, length));
      expect(await refusal(() => readSafetensors(path))).toMatch(/^safetensors-invalid: /);
    }
  });
});
