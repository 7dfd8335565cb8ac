import { elementCount, type FloatTensor } from '../../shared/tensor/float-tensor.ts';

/** The parts of a tensor that belong to each of `count` items along its first axis; they share its memory. */
export function rowsOfTensor(tensor: FloatTensor, count: number): readonly Float32Array[] {
  const length = elementCount(tensor.shape) / count;
  return Array.from({ length: count }, (_, i) => tensor.data.subarray(i * length, (i + 1) * length));
}

/** Rows one after another. */
export function concatenate(rows: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  let offset = 0;
  for (const row of rows) {
    joined.set(row, offset);
    offset += row.length;
  }
  return joined;
}
