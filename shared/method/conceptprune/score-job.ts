import { floatsOf, readTensorAt } from '../../checkpoint/read-tensor.ts';
import type { TensorEntry } from '../../checkpoint/safetensors-header.ts';
import { LetheError } from '../../error/lethe-error.ts';
import type { LayerNorms } from './norms.ts';
import { type LayerSelection, scoreLayer } from './score-layer.ts';
import type { LayerSettings } from './settings.ts';

/** A layer to be scored: where its weight [out, in] lies, what it is scored by, how it is selected. */
export interface ScoreJob {
  /** The safetensors file; real path. */
  readonly file: string;
  readonly weight: TensorEntry;
  readonly norms: LayerNorms;
  readonly settings: LayerSettings;
}

/**
 * Reads a layer's weight, fp16 and bf16 widened, and scores it.
 *
 * @throws LetheError `tensor-mismatch` for a weight that is no matrix of floats; as `readTensorAt` and `scoreLayer`.
 */
export async function score({ file, weight, norms, settings }: ScoreJob): Promise<LayerSelection> {
  const tensor = await readTensorAt(file, weight);
  const { shape } = tensor;
  const data = floatsOf(tensor);
  const [out, columns, ...rest] = shape;
  if (out === undefined || columns === undefined || rest.length > 0 || data === undefined) {
    throw new LetheError('tensor-mismatch', {
      what: 'cannot score the layer',
      where: `${file}, tensor ${JSON.stringify(weight.name)}`,
      why: `it is ${weight.dtype} [${shape.join(', ')}], and a matrix of F64, F32, F16 or BF16 is scored`,
      next: 'use a checkpoint with weights in one of these',
    });
  }
  return scoreLayer({ out, in: columns, data }, norms, settings);
}

/** Weights of one part of a layer: what a thread works on for some 20 ms, so that threads end together. */
const partSize = 2 ** 20;

/** Parts of a job, by rows, in order: a row's result depends on no other. */
export function partsOf(job: ScoreJob): readonly ScoreJob[] {
  const { weight } = job;
  const [out = 0, columns = 0] = weight.shape;
  const rowLength = (weight.end - weight.begin) / Math.max(out, 1);
  const rows = Math.max(1, Math.floor(partSize / Math.max(columns, 1)));
  if (weight.shape.length !== 2 || out <= rows) return [job];
  return Array.from({ length: Math.ceil(out / rows) }, (_, i) => {
    const from = i * rows;
    const to = Math.min(from + rows, out);
    const begin = weight.begin + from * rowLength;
    return { ...job, weight: { ...weight, shape: [to - from, columns], begin, end: weight.begin + to * rowLength } };
  });
}

/** The selection of a layer from those of its parts. */
export function joinParts(parts: readonly LayerSelection[]): LayerSelection {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first ?? { steps: [], union: join([]) };
  return {
    steps: first.steps.map((_, step) => join(parts.flatMap(({ steps }) => steps[step] ?? []))),
    union: join(parts.map(({ union }) => union)),
  };
}

/** Rows one below the other; a row begins at a whole byte. */
function join(parts: readonly LayerSelection['union'][]): LayerSelection['union'] {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part.bytes, at);
    at += part.bytes.length;
  }
  return { rows, columns: parts[0]?.columns ?? 0, bytes };
}
