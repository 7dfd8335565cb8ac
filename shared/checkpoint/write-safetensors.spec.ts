import { describe, expect, it } from 'vitest';
import { parseSafetensorsHeader } from './safetensors-header.ts';
import { encodeSafetensors } from './write-safetensors.ts';

describe('encodeSafetensors', () => {
  const tensors = [
    { name: 'a', shape: [3], data: Uint8Array.of(1, 2, 3) },
    { name: 'b', shape: [1, 2], data: Float32Array.of(1.5, -2) },
    { name: 'c', shape: [], data: Float64Array.of(0.1) },
  ];

  it('writes what the reader for untrusted files reads, each array in its own dtype', () => {
    const bytes = encodeSafetensors(tensors, { format: 'x' });
    const file = parseSafetensorsHeader(bytes, bytes.length, 'memory');
    expect([...file.tensors.values()].map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual([
      { name: 'a', dtype: 'U8', shape: [3] },
      { name: 'b', dtype: 'F32', shape: [1, 2] },
      { name: 'c', dtype: 'F64', shape: [] },
    ]);
    expect([...file.metadata]).toEqual([['format', 'x']]);
    const { begin = 0, end = 0 } = file.tensors.get('b') ?? {};
    expect([...new Float32Array(bytes.slice(begin, end).buffer)]).toEqual([1.5, -2]);
  });

  it('gives the same bytes for the same tensors', () => {
    expect(encodeSafetensors(tensors, { format: 'x' })).toEqual(encodeSafetensors(tensors, { format: 'x' }));
  });
});
