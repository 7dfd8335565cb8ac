import { join } from 'node:path';
import { readSafetensors } from '../../shared/checkpoint/read-safetensors.ts';
import { readTensor } from '../../shared/checkpoint/read-tensor.ts';
import type { SafetensorsFile } from '../../shared/checkpoint/safetensors-header.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';

/** A vector: numbers and their shape. Integers of 64 bits are token ids here and fit a double. */
export interface Vector {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** The tensors of one golden file, read when they are asked for. */
export class GoldenFile {
  readonly #file: SafetensorsFile;
  readonly #asked = new Set<string>();

  private constructor(file: SafetensorsFile) {
    this.#file = file;
  }

  static async open(directory: string, name: string): Promise<GoldenFile> {
    return new GoldenFile(await readSafetensors(join(directory, name)));
  }

  /** Names that match, in the file's order. */
  names(pattern: RegExp): readonly RegExpExecArray[] {
    return [...this.#file.tensors.keys()].map((name) => pattern.exec(name)).filter((match) => match !== null);
  }

  /** @throws LetheError `golden-invalid` that names the vectors nothing has read: no check knows them. */
  requireAllRead(): void {
    const unread = [...this.#file.tensors.keys()].filter((name) => !this.#asked.has(name));
    if (unread.length > 0) throw goldenInvalid(this.#file.path, `no check knows these vectors: ${unread.join(', ')}`);
  }

  async read(name: string): Promise<Vector> {
    this.#asked.add(name);
    const { shape, data } = await readTensor(this.#file, name);
    if (data instanceof Float32Array || data instanceof Float64Array) return { shape, data };
    return { shape, data: Float64Array.from(data as Iterable<number | bigint>, Number) };
  }
}

/** LetheError `golden-invalid` for a directory that is not laid out as golden vectors are. */
export function goldenInvalid(where: string, why: string, cause?: unknown): LetheError {
  return new LetheError('golden-invalid', {
    what: 'cannot check the golden vectors',
    where,
    why,
    next: 'see docs/golden.md for the layout',
    cause,
  });
}
