import {
  broadcastShapes,
  type Dim,
  type ElementType,
  formatProduct,
  sameShape,
  splitDim,
} from '../graph/tensor-type.ts';
import { intConstant, type Value } from '../graph/value.ts';
import { apply, applyMany, int, ints, operandError, string } from './apply.ts';

/**
 * The same elements under another shape, with at most one size bound at run time. ONNX Reshape. Of several in a row only
 * the last is made, and none where it leads back: a block may see tokens as rows or as sequences as it likes.
 */
export function reshape(module: string, value: Value, shape: readonly Dim[]): Value {
  const x = beforeReshape(value);
  if (sameShape(x.type.shape, shape)) return x;
  const symbolic = shape.filter((dim) => splitDim(dim).symbol !== undefined);
  if (symbolic.length > 1) throw operandError('Reshape', module, [x], `[${shape.join(',')}] has two unbound sizes`);
  if (formatProduct(x.type.shape) !== formatProduct(shape))
    throw operandError('Reshape', module, [x], `its elements do not fill [${shape.join(',')}]`);
  const target = intConstant(
    `${module}/Reshape.shape`,
    shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
  );
  return apply('Reshape', module, [x, target], { element: x.type.element, shape });
}

function beforeReshape(value: Value): Value {
  if (value.kind !== 'result' || value.node.operator !== 'Reshape') return value;
  return value.node.inputs[0] ?? value;
}

/** Axes in another order: output axis i is input axis `order[i]`. ONNX Transpose. */
export function transpose(module: string, x: Value, order: readonly number[]): Value {
  const sorted = [...order].sort((a, b) => a - b);
  if (order.length !== x.type.shape.length || sorted.some((axis, i) => axis !== i))
    throw operandError('Transpose', module, [x], `[${order.join(',')}] is not an order of its axes`);
  const shape = order.flatMap((axis) => x.type.shape[axis] ?? []);
  return apply('Transpose', module, [x], { element: x.type.element, shape }, { perm: ints(...order) });
}

/** Operands one after another along an axis; their other sizes are equal. ONNX Concat. */
export function concat(module: string, values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (first === undefined) throw operandError('Concat', module, values, 'there is nothing to join');
  let total = 0;
  for (const value of values) {
    const { shape, element } = value.type;
    const size = shape[axis];
    const fits =
      shape.length === first.type.shape.length && shape.every((dim, i) => i === axis || dim === first.type.shape[i]);
    if (!fits || element !== first.type.element) throw operandError('Concat', module, values, 'shapes or types differ');
    if (typeof size !== 'number') throw operandError('Concat', module, values, `axis ${axis} has an unbound size`);
    total += size;
  }
  const shape = first.type.shape.map((dim, i) => (i === axis ? total : dim));
  return apply('Concat', module, values, { element: first.type.element, shape }, { axis: int(axis) });
}

/** Two equal halves along the last axis. ONNX Split. */
export function halve(module: string, x: Value): readonly [Value, Value] {
  const axis = x.type.shape.length - 1;
  const size = x.type.shape[axis];
  if (typeof size !== 'number' || size % 2 !== 0)
    throw operandError('Split', module, [x], 'its last axis has no two equal halves');
  const type = { element: x.type.element, shape: [...x.type.shape.slice(0, -1), size / 2] };
  const [low, high] = applyMany('Split', module, [x], [type, type], { axis: int(axis), num_outputs: int(2) });
  if (low === undefined || high === undefined) throw operandError('Split', module, [x], 'it makes no output');
  return [low, high];
}

/**
 * Blocks of channels to pixels: x[b, (row, column, c), h, w] → [b, c, size·h, size·w], where row and column are the
 * pixel's place in its square of `size`. ONNX DepthToSpace, mode DCR.
 */
export function depthToSpace(module: string, x: Value, size: number): Value {
  const [batch, channels, height, width] = x.type.shape;
  if (batch === undefined || typeof channels !== 'number' || typeof height !== 'number' || typeof width !== 'number')
    throw operandError('DepthToSpace', module, [x], 'channels, height and width have to be bound');
  if (channels % (size * size) !== 0)
    throw operandError('DepthToSpace', module, [x], `its channels are no multiple of ${size * size}`);
  const shape = [batch, channels / (size * size), size * height, size * width];
  const attributes = { blocksize: int(size), mode: string('DCR') };
  return apply('DepthToSpace', module, [x], { element: x.type.element, shape }, attributes);
}

/** The same numbers in another element type; the value itself where it has that type. ONNX Cast. */
export function cast(module: string, x: Value, to: ElementType): Value {
  if (x.type.element === to) return x;
  // TensorProto.DataType of onnx.proto.
  const codes: Readonly<Record<ElementType, number>> = {
    float: 1,
    double: 11,
    float16: 10,
    bfloat16: 16,
    int32: 6,
    int64: 7,
    bool: 9,
  };
  return apply('Cast', module, [x], { element: to, shape: x.type.shape }, { to: int(codes[to]) });
}

/** Rows of a table [entries, ...rest] picked by integer indices: [...indices, ...rest]. ONNX Gather, axis 0. */
export function gather(module: string, table: Value, indices: Value): Value {
  if (indices.type.element !== 'int64' && indices.type.element !== 'int32')
    throw operandError('Gather', module, [table, indices], 'indices are not integers');
  if (table.type.shape.length === 0) throw operandError('Gather', module, [table, indices], 'a scalar is no table');
  const shape = [...indices.type.shape, ...table.type.shape.slice(1)];
  return apply('Gather', module, [table, indices], { element: table.type.element, shape }, { axis: int(0) });
}

/** `a` where the condition holds, else `b`, broadcast to the shape of `a`. ONNX Where. */
export function where(module: string, condition: Value, a: Value, b: Value): Value {
  const operands = [condition, a, b];
  if (condition.type.element !== 'bool' || a.type.element !== b.type.element)
    throw operandError('Where', module, operands, 'the condition is no truth values, or element types differ');
  for (const { type } of [condition, b]) {
    const shape = broadcastShapes(a.type.shape, type.shape);
    if (shape === undefined || !sameShape(shape, a.type.shape))
      throw operandError('Where', module, operands, 'shapes do not broadcast');
  }
  return apply('Where', module, operands, a.type);
}
