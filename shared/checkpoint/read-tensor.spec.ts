import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDirectory, refusal, safetensorsFile } from './fixture.spec-support.ts';
import { readSafetensors } from './read-safetensors.ts';
import { readTensor } from './read-tensor.ts';

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

describe('readTensor', () => {
  let directory: string;
  let path: string;
  beforeAll(async () => {
    directory = await newDirectory();
    path = join(directory, 'w.safetensors');
    await writeFile(
      path,
      safetensorsFile([
        // One byte first, so that everything after it is unaligned.
        { name: 'u8', dtype: 'U8', shape: [1], data: Uint8Array.of(7) },
        { name: 'f32', dtype: 'F32', shape: [2], data: bytesOf(Float32Array.of(1.5, -2)) },
        { name: 'f64', dtype: 'F64', shape: [1], data: bytesOf(Float64Array.of(0.1)) },
        { name: 'f16', dtype: 'F16', shape: [1, 2], data: bytesOf(Uint16Array.of(0x3c00, 0xc000)) },
        { name: 'bf16', dtype: 'BF16', shape: [2], data: bytesOf(Uint16Array.of(0x3f80, 0xc000)) },
        { name: 'i64', dtype: 'I64', shape: [], data: bytesOf(BigInt64Array.of(-5n)) },
        { name: 'u64', dtype: 'U64', shape: [], data: bytesOf(BigUint64Array.of(2n ** 64n - 1n)) },
        { name: 'i32', dtype: 'I32', shape: [1], data: bytesOf(Int32Array.of(-3)) },
        { name: 'u32', dtype: 'U32', shape: [1], data: bytesOf(Uint32Array.of(2 ** 32 - 1)) },
        { name: 'i16', dtype: 'I16', shape: [1], data: bytesOf(Int16Array.of(-300)) },
        { name: 'u16', dtype: 'U16', shape: [1], data: bytesOf(Uint16Array.of(65535)) },
        { name: 'i8', dtype: 'I8', shape: [1], data: bytesOf(Int8Array.of(-1)) },
        { name: 'bool', dtype: 'BOOL', shape: [2], data: Uint8Array.of(0, 1) },
        { name: 'f8', dtype: 'F8_E4M3', shape: [1] },
        { name: 'empty', dtype: 'F32', shape: [0, 4] },
      ]),
    );
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('reads every dtype that has an array on the host, aligned or not', async () => {
    const file = await readSafetensors(path);
    const expected = {
      u8: { dtype: 'U8', shape: [1], data: Uint8Array.of(7) },
      f32: { dtype: 'F32', shape: [2], data: Float32Array.of(1.5, -2) },
      f64: { dtype: 'F64', shape: [1], data: Float64Array.of(0.1) },
      f16: { dtype: 'F16', shape: [1, 2], data: Float32Array.of(1, -2) },
      bf16: { dtype: 'BF16', shape: [2], data: Float32Array.of(1, -2) },
      i64: { dtype: 'I64', shape: [], data: BigInt64Array.of(-5n) },
      u64: { dtype: 'U64', shape: [], data: BigUint64Array.of(2n ** 64n - 1n) },
      i32: { dtype: 'I32', shape: [1], data: Int32Array.of(-3) },
      u32: { dtype: 'U32', shape: [1], data: Uint32Array.of(2 ** 32 - 1) },
      i16: { dtype: 'I16', shape: [1], data: Int16Array.of(-300) },
      u16: { dtype: 'U16', shape: [1], data: Uint16Array.of(65535) },
      i8: { dtype: 'I8', shape: [1], data: Int8Array.of(-1) },
      bool: { dtype: 'BOOL', shape: [2], data: Uint8Array.of(0, 1) },
      empty: { dtype: 'F32', shape: [0, 4], data: new Float32Array() },
    };
    for (const [name, tensor] of Object.entries(expected)) expect(await readTensor(file, name)).toEqual(tensor);
  });

  it('names a tensor that is not there, and a dtype that cannot be read', async () => {
    const file = await readSafetensors(path);
    expect(await refusal(() => readTensor(file, 'f3'))).toContain(
      `tensor-mismatch: cannot read tensor (${path}, tensor "f3")`,
    );
    expect(await refusal(() => readTensor(file, 'f8'))).toMatch(/^tensor-mismatch: .*its dtype is F8_E4M3/);
  });

  it('refuses a file that has shrunk since its header was read', async () => {
    const file = await readSafetensors(path);
    await truncate(path, file.size - 1);
    expect(await refusal(() => readTensor(file, 'f8'))).toMatch(/^safetensors-invalid: .*has shrunk/);
  });
});
