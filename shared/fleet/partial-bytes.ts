import { endianness } from 'node:os';
import { type Partial, partialLength } from '../statistics/partial.ts';
import type { FinishedTask } from './task.ts';
import { violation } from './violation.ts';

/** The values of a partial, fp32, little-endian; the partial's own memory where the machine is. */
export function partialToBytes({ values }: Partial): Uint8Array {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32();
}

/** The partial of a finished task, from the bytes of its first blob. @throws LetheError `protocol-violated` by length. */
export function partialFromBytes(finished: FinishedTask, bytes: Uint8Array): Partial {
  const { unit, layers, steps, items } = finished;
  const expected = 4 * partialLength(layers, steps, items);
  if (bytes.length !== expected)
    throw violation('partial', `it has ${bytes.length} bytes, and its shape asks for ${expected}`);
  // Copied where it has to be: a view of fp32 numbers begins at a multiple of four.
  const aligned = bytes.byteOffset % 4 === 0 && endianness() === 'LE' ? bytes : Uint8Array.from(bytes);
  if (endianness() === 'BE') Buffer.from(aligned.buffer).swap32();
  const values = new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
  return { unit, layers, steps, items, values };
}
