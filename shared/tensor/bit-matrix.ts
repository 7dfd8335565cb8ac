/**
 * One bit a weight of a matrix [rows, columns], packed: row i has bytes i·⌈columns/8⌉ on, and in it column j is bit j mod 8
 * of byte ⌊j/8⌋, counted from the least significant (numpy: packbits(..., axis=1, bitorder='little')). Bits past the last
 * column are 0.
 */
export interface BitMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly bytes: Uint8Array;
}

/** Bytes of one row. */
export function rowBytes(columns: number): number {
  return Math.ceil(columns / 8);
}

/** All bits 0. */
export function emptyBits(rows: number, columns: number): BitMatrix {
  return { rows, columns, bytes: new Uint8Array(rows * rowBytes(columns)) };
}

/** Where the bits of `rows` rows from `first` on are set: row · columns + column, counted from the first of them; rising. */
export function setPlaces({ columns, bytes }: BitMatrix, first: number, rows: number): Uint32Array {
  const stride = rowBytes(columns);
  const places: number[] = [];
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < stride; i++)
      for (let left = bytes[(first + row) * stride + i] ?? 0; left !== 0; left &= left - 1)
        places.push(row * columns + 8 * i + 31 - Math.clz32(left & -left));
  return Uint32Array.from(places);
}

/** Whether the bit of a weight is set. */
export function hasBit({ columns, bytes }: BitMatrix, row: number, column: number): boolean {
  return (((bytes[row * rowBytes(columns) + (column >> 3)] ?? 0) >> (column & 7)) & 1) === 1;
}
