import { LetheError } from '../error/lethe-error.ts';
import { JsonScanner } from './json-scanner.ts';
import { bitsOf, isTensorDtype, type TensorDtype } from './tensor-dtype.ts';

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
  /** In the header's order. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Bytes that tell the header's length: a little-endian u64. */
export const lengthBytes = 8;

/** Bytes of the header: the reference implementation's MAX_HEADER_SIZE. */
export const headerLimit = 100_000_000;

/** Characters of a tensor's name. The longest of SDXL's have 90; names end up in messages, maps and graphs. */
export const nameLimit = 1_000;

/** Dimensions of a tensor: as many as torch takes. */
export const rankLimit = 64;

/** Tensors of one file: twice what all files of DeepSeek-V3 hold together. Each costs memory even if it is empty. */
export const tensorLimit = 200_000;

/** The refusal of a file as damaged or hostile. */
export function safetensorsInvalid(path: string, why: string, tensor?: string, cause?: unknown): LetheError {
  return new LetheError('safetensors-invalid', {
    what: 'cannot read safetensors file',
    where: tensor === undefined ? path : `${path}, tensor ${quoted(tensor)}`,
    why,
    next: 'fetch the file again and compare its checksum; do not use it if it came that way',
    cause,
  });
}

/** The header's length in bytes, from the first bytes of a file; refused if no header of that length can be there. */
export function safetensorsHeaderLength(bytes: Uint8Array, fileSize: number, path: string): number {
  if (bytes.length < lengthBytes || fileSize < lengthBytes) {
    throw safetensorsInvalid(
      path,
      `the file has ${Math.min(bytes.length, fileSize)} bytes, fewer than the smallest header`,
    );
  }
  if (Buffer.from(bytes.subarray(0, lengthBytes)).toString('latin1') === 'version ') {
    throw safetensorsInvalid(
      path,
      'this is a Git LFS pointer, not the weights: run `git lfs pull` where it was cloned',
    );
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(headerLimit)) {
    throw safetensorsInvalid(path, `the header claims ${length.toString()} bytes; at most ${headerLimit} are read`);
  }
  const left = fileSize - lengthBytes;
  if (length > BigInt(left)) {
    throw safetensorsInvalid(path, `the header claims ${length.toString()} bytes; the file has ${left} left`);
  }
  return Number(length);
}

/**
 * Reads and checks the header. `bytes` are the first of the file, at least the header's length and the header;
 * what follows them is not looked at. Throws 'safetensors-invalid' naming file, tensor and reason.
 *
 * Accepts what the reference implementation accepts (safetensors 0.8.0, `SafeTensors::deserialize`), with these
 * differences, none of which its writers produce. Refused here: duplicate names of tensors or metadata (there the last
 * wins), `__proto__` as a key, sizes and offsets of 2^53 and more, more than 200,000 tensors, names of more than 1,000
 * characters, more than 64 dimensions, an entry written as an array of its values, a dtype written as `{"F32": null}`.
 */
export function parseSafetensorsHeader(bytes: Uint8Array, fileSize: number, path: string): SafetensorsFile {
  const length = safetensorsHeaderLength(bytes, fileSize, path);
  const dataBegin = lengthBytes + length;
  if (bytes.length < dataBegin) throw safetensorsInvalid(path, 'the file ends inside its header');
  const text = decode(bytes.subarray(lengthBytes, dataBegin), path);

  let tensor: string | undefined;
  const scanner = new JsonScanner(text, (why, offset) => {
    throw safetensorsInvalid(path, `${why} (character ${offset} of the header)`, tensor);
  });
  const tensors = new Map<string, TensorEntry>();
  let metadata: ReadonlyMap<string, string> = new Map();
  scanner.object((name) => {
    if (name === '__metadata__') {
      metadata = readMetadata(scanner);
      return;
    }
    tensor = name;
    if (name.length > nameLimit) {
      throw safetensorsInvalid(path, `its name has ${name.length} characters; at most ${nameLimit} are read`, name);
    }
    if (tensors.size === tensorLimit) throw safetensorsInvalid(path, `there are more than ${tensorLimit} tensors`);
    tensors.set(name, readEntry(scanner, name, dataBegin, fileSize, path));
    tensor = undefined;
  });
  scanner.end();
  checkCoverage([...tensors.values()], dataBegin, fileSize, path);
  return { path, size: fileSize, tensors, metadata };
}

function decode(header: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch (cause) {
    throw safetensorsInvalid(path, 'the header is not UTF-8', undefined, cause);
  }
}

function readMetadata(scanner: JsonScanner): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  if (scanner.peek() === 'n') scanner.value();
  else scanner.object((key) => metadata.set(key, scanner.string()));
  return metadata;
}

/** Keys other than the three are skipped, as the reference implementation does. */
function readEntry(scanner: JsonScanner, name: string, dataBegin: number, fileSize: number, path: string): TensorEntry {
  const refuse = (why: string): never => {
    throw safetensorsInvalid(path, why, name);
  };
  let dtype: TensorDtype | undefined;
  let shape: readonly number[] | undefined;
  let offsets: readonly number[] | undefined;
  scanner.object((key) => {
    if (key === 'dtype') {
      const found = scanner.string();
      dtype = isTensorDtype(found) ? found : refuse(`the dtype ${quoted(found)} is not one of the format's`);
    } else if (key === 'shape') {
      shape = readIntegers(scanner, rankLimit, () => refuse(`it has more than ${rankLimit} dimensions`));
    } else if (key === 'data_offsets') {
      offsets = readIntegers(scanner, 2, () => refuse('data_offsets has more than two numbers'));
    } else scanner.value();
  });
  if (dtype === undefined) return refuse('it has no dtype');
  if (shape === undefined) return refuse('it has no shape');
  const [begin, end] = offsets ?? [];
  if (begin === undefined || end === undefined) return refuse('it has no data_offsets, or fewer than two');
  if (begin > end) return refuse(`its data_offsets begin at ${begin}, after their end at ${end}`);
  const dataSize = fileSize - dataBegin;
  if (end > dataSize) return refuse(`its data_offsets end at ${end}; the data ends at ${dataSize}`);
  const bits = bitsIn(shape, dtype);
  if (bits === undefined) return refuse(`its shape [${shape.join(', ')}] is too large`);
  if (bits !== (end - begin) * 8) {
    return refuse(`[${shape.join(', ')}] of ${dtype} takes ${bits / 8} bytes; its data_offsets span ${end - begin}`);
  }
  return { name, dtype, shape, begin: dataBegin + begin, end: dataBegin + end };
}

function readIntegers(scanner: JsonScanner, limit: number, tooMany: () => never): readonly number[] {
  const numbers: number[] = [];
  scanner.array(() => (numbers.length === limit ? tooMany() : numbers.push(scanner.integer())));
  return numbers;
}

/** Every partial product is checked, so that a last 0 does not hide an overflow. */
function bitsIn(shape: readonly number[], dtype: TensorDtype): number | undefined {
  let bits = 1;
  for (const factor of [...shape, bitsOf[dtype]]) {
    bits *= factor;
    if (!Number.isSafeInteger(bits)) return undefined;
  }
  return bits;
}

/** The data must be covered without overlap or hole: two tensors never share bytes, and no bytes hide between them. */
function checkCoverage(entries: readonly TensorEntry[], dataBegin: number, fileSize: number, path: string): void {
  let end = dataBegin;
  let previous = 'the header';
  for (const entry of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin < end) throw safetensorsInvalid(path, `its data overlaps ${previous}`, entry.name);
    if (entry.begin > end) {
      throw safetensorsInvalid(path, `${entry.begin - end} bytes before its data belong to no tensor`, entry.name);
    }
    end = entry.end;
    previous = `tensor ${quoted(entry.name)}`;
  }
  if (end !== fileSize) throw safetensorsInvalid(path, `${fileSize - end} bytes after ${previous} belong to no tensor`);
}

/** Escaped and short enough for one line of a message. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
}
