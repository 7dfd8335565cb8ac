import { formatProduct, splitDim, type Dim } from '../graph/tensor-type.ts';
import type { Value } from '../graph/value.ts';
import { fixed, type Module } from '../module.ts';
import { reshape } from '../ops/layout.ts';
import { gemm } from '../ops/product.ts';

/**
 * torch.nn.Linear on the last axis of x[..., in], weight [out, in]. All leading axes become rows of one Gemm: the weight
 * is used as it is stored and its bias is added in the same kernel.
 */
export function linear(module: Module, x: Value, out: number, bias = true): Value {
  const weight = module.parameter('weight', [out, fixed(x.type.shape.at(-1), module.path)]);
  return project(module, x, weight, bias ? module.parameter('bias', [out]) : undefined);
}

/** A 1×1 torch.nn.Conv2d, weight [out, in, 1, 1], applied to tokens x[..., in]: the same product as a Linear. */
export function pointwise(module: Module, x: Value, out: number): Value {
  const inner = fixed(x.type.shape.at(-1), module.path);
  const weight = module.parameter('weight', [out, inner, 1, 1]);
  const matrix = reshape(module.child('weight').path, weight, [out, inner]);
  return project(module, x, matrix, module.parameter('bias', [out]));
}

/**
 * A torch.nn.Linear to 2·half whose result is used in two halves, as one Gemm each: the halves of its weight are spans of
 * the file, those of its result would have to be copied apart (4 % of an emoji-sd UNet call).
 */
export function linearHalves(module: Module, x: Value, half: number): readonly [Value, Value] {
  const inner = fixed(x.type.shape.at(-1), module.path);
  const part = (index: 0 | 1): Value => {
    const [from, to] = [index * half, (index + 1) * half];
    const { parameters } = module;
    const weight = parameters.rows(module.child('weight').path, [2 * half, inner], from, to);
    const bias = parameters.rows(module.child('bias').path, [2 * half], from, to);
    return project(module.child(String(index)), x, weight, bias);
  };
  return [part(0), part(1)];
}

function project(module: Module, x: Value, weight: Value, bias: Value | undefined): Value {
  const leading = x.type.shape.slice(0, -1);
  const y = gemm(module.path, tokenRows(module.path, x), weight, bias);
  return reshape(module.path, y, [...leading, fixed(y.type.shape[1], module.path)]);
}

/** x[..., width] as one matrix: its leading axes become rows. */
export function tokenRows(path: string, x: Value): Value {
  const width = fixed(x.type.shape.at(-1), path);
  return reshape(`${path}.rows`, x, [productOf(x.type.shape.slice(0, -1)), width]);
}

/** Leading axes as one size: `2*trajectories` × 256 is `512*trajectories`. */
function productOf(dims: readonly Dim[]): Dim {
  const bound = dims.every((dim) => splitDim(dim).symbol === undefined);
  const product = formatProduct(dims);
  return bound ? Number(product) : product.replace(/^1\*/, '');
}
