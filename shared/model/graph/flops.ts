import type { Graph } from './graph.ts';
import { type Dim, splitDim } from './tensor-type.ts';
import type { Node, Value } from './value.ts';

/** Operators whose work is a product; a multiplication and an addition are two FLOPs. Everything else is a pass over memory. */
const products = {
  Conv: (node: Node, size: SizeOf) => {
    const [, weight] = node.inputs;
    const [, channels = 1, height = 1, width = 1] = size(weight);
    return 2 * product(size(node.outputs[0])) * channels * height * width;
  },
  Gemm: (node: Node, size: SizeOf) => 2 * product(size(node.outputs[0])) * (size(node.inputs[0])[1] ?? 1),
  MatMul: (node: Node, size: SizeOf) => 2 * product(size(node.outputs[0])) * (size(node.inputs[0]).at(-1) ?? 1),
  // q kᵀ and the product with v; the softmax between is not counted.
  MultiHeadAttention: (node: Node, size: SizeOf) => {
    const [q, k, v] = node.inputs;
    const [batch = 1, queries = 1, width = 1] = size(q);
    const keys = size(k)[1] ?? 1;
    return 2 * batch * queries * keys * (width + (size(v)[2] ?? 1));
  },
} as const;

type SizeOf = (value: Value | Node['outputs'][number] | undefined) => readonly number[];

/** FLOPs of one run of a graph by operator, in the order the operators are first met. */
export type Flops = ReadonlyMap<string, number>;

/**
 * Counts the FLOPs of a graph's products from its shapes. What depends on no input is left out: the runtime computes it
 * once, when it loads the model.
 *
 * @param bound the value of a named size, such as `trajectories`.
 */
export function countFlops(graph: Graph, bound: (name: string) => number): Flops {
  const sizeOf: SizeOf = (value) => (value?.type.shape ?? []).map((dim) => bind(dim, bound));
  const flops = new Map<string, number>();
  const perRun = new Set<Node>();
  for (const node of graph.nodes) {
    const { operator, inputs } = node;
    // Operands come before their users.
    if (!inputs.some((value) => value?.kind === 'input' || (value?.kind === 'result' && perRun.has(value.node))))
      continue;
    perRun.add(node);
    if (!isProduct(operator)) continue;
    flops.set(operator, (flops.get(operator) ?? 0) + products[operator](node, sizeOf));
  }
  return flops;
}

export function totalFlops(flops: Flops): number {
  return [...flops.values()].reduce((sum, each) => sum + each, 0);
}

function isProduct(operator: string): operator is keyof typeof products {
  return Object.hasOwn(products, operator);
}

function bind(dim: Dim, bound: (name: string) => number): number {
  const { factor, symbol } = splitDim(dim);
  return symbol === undefined ? factor : factor * bound(symbol);
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}
