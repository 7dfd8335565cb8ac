import { bitsOf, type TensorDtype } from '../checkpoint/tensor-dtype.ts';
import type { WeightLocation, Weights } from '../checkpoint/weights.ts';
import { LetheError } from '../error/lethe-error.ts';

/** Weights that are nowhere on disk: dtype and shape by name, one after another from byte 100 of one file. */
export function smallWeights(
  tensors: Readonly<Record<string, readonly [dtype: TensorDtype, ...shape: number[]]>>,
  file = '/checkpoint/model.safetensors',
): Weights {
  let begin = 100;
  const located = Object.entries(tensors).map(([name, [dtype, ...shape]]): [string, WeightLocation] => {
    const end = begin + (shape.reduce((a, b) => a * b, 1) * bitsOf[dtype]) / 8;
    const location = { name, dtype, shape, begin, end, file };
    begin = end;
    return [name, location];
  });
  const all = new Map(located);
  return { files: [{ path: file, size: begin, metadata: new Map(), tensors: all }], tensors: all };
}

/** The LetheError that `action` throws, as code and message; anything else it throws passes through. */
export function refusalOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof LetheError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'not refused';
}
