/** Element types of the values in a graph, by their ONNX names in lower case. */
export type ElementType = 'float' | 'double' | 'float16' | 'bfloat16' | 'int32' | 'int64' | 'bool';

/**
 * A fixed size, or one that is bound when the model runs: a name, or a multiple of a name (`trajectories`,
 * `2*trajectories`). Written as text, two sizes are the same when they are equal.
 */
export type Dim = number | string;

/** Element type and shape of a value. A scalar has an empty shape. */
export interface TensorType {
  readonly element: ElementType;
  readonly shape: readonly Dim[];
}

/** As ONNX prints it: `float[2*trajectories,64,16,16]`. */
export function formatType(type: TensorType): string {
  return `${type.element}[${type.shape.join(',')}]`;
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** `dim` × `factor`: 2 × `trajectories` is `2*trajectories`. */
export function scaleDim(dim: Dim, factor: number): Dim {
  const { symbol, factor: own } = splitDim(dim);
  if (symbol === undefined) return own * factor;
  return own * factor === 1 ? symbol : `${own * factor}*${symbol}`;
}

/** The number in a size and the name in it, if there is one. */
export function splitDim(dim: Dim): { readonly factor: number; readonly symbol: string | undefined } {
  if (typeof dim === 'number') return { factor: dim, symbol: undefined };
  const star = dim.indexOf('*');
  if (star < 0) return { factor: 1, symbol: dim };
  return { factor: Number(dim.slice(0, star)), symbol: dim.slice(star + 1) };
}

/** The product of sizes, as one text that is equal for equal products: `512*trajectories`. */
export function formatProduct(shape: readonly Dim[]): string {
  const parts = shape.map(splitDim);
  const factor = parts.reduce((product, part) => product * part.factor, 1);
  const symbols = parts.flatMap((part) => part.symbol ?? []).sort();
  return [factor, ...symbols].join('*');
}

/**
 * The shape two operands broadcast to, or undefined where they do not (ONNX: multidirectional broadcasting, as NumPy).
 * A named size fits itself and 1 only: what it will be is not known here.
 */
export function broadcastShapes(a: readonly Dim[], b: readonly Dim[]): readonly Dim[] | undefined {
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const left = a[a.length - rank + i] ?? 1;
    const right = b[b.length - rank + i] ?? 1;
    if (left !== right && left !== 1 && right !== 1) return undefined;
    result.push(left === 1 ? right : left);
  }
  return result;
}
