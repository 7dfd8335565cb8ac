import type { TensorDtype } from './tensor-dtype.ts';

/** Where one tensor lies in its file. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: TensorDtype;
  /** Row-major; empty for a scalar. */
  readonly shape: readonly number[];
  /** Offset of the first byte, from the start of the file. Not always a multiple of the element's size: old files are not aligned. */
  readonly begin: number;
  /** Offset one past the last byte, from the start of the file. */
  readonly end: number;
}

/** What the header of a .safetensors file says, checked. */
export interface SafetensorsFile {
  readonly path: string;
  /** Bytes in the file. */
  readonly size: number;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** `bytes` are the first of the file: the header's length and the header. */
export declare function parseSafetensorsHeader(bytes: Uint8Array, fileSize: number, path: string): SafetensorsFile;
