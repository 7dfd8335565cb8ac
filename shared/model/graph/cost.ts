import { elementCount } from '../../tensor/float-tensor.ts';
import { countFlops, totalFlops } from './flops.ts';
import type { Graph } from './graph.ts';
import { type Dim, splitDim } from './tensor-type.ts';
import type { Node, Value } from './value.ts';

/** What of running a graph can be told without running it, for one item of what is bound at run time. */
export interface GraphCost {
  /** Floating-point operations of products and convolutions: 2 a multiply-add. */
  readonly flops: number;
  /** Of all weights, in fp32. */
  readonly weightBytes: number;
  /** Of the largest operation's operands and result together, in fp32, weights not counted. */
  readonly peakBytes: number;
}

/** Operations and bytes of a graph; every named size counts as 1. */
export function graphCost(graph: Graph): GraphCost {
  const bytes = (values: readonly (Value | undefined)[]): number =>
    values.reduce((sum, value) => sum + (value?.kind === 'result' ? 4 * sizeOf(value.type.shape) : 0), 0);
  return {
    flops: totalFlops(countFlops(graph, () => 1)),
    weightBytes: graph.parameters.reduce((sum, { type }) => sum + 4 * sizeOf(type.shape), 0),
    peakBytes: graph.nodes.reduce(
      (most, node) =>
        Math.max(
          most,
          bytes(node.inputs) + 4 * (node.outputs.reduce((sum, { type }) => sum + sizeOf(type.shape), 0) + scores(node)),
        ),
      0,
    ),
  };
}

/** Attention's scores, [rows, heads, n, m]: kept whole by the CPU's kernel, the largest thing of a large image. */
function scores({ operator, inputs: [q, k], attributes }: Node): number {
  const heads = attributes['num_heads'];
  if (operator !== 'MultiHeadAttention' || heads?.kind !== 'int') return 0;
  return sizeOf(q?.type.shape.slice(0, 2) ?? []) * heads.value * numberOf(k?.type.shape[1] ?? 0);
}

function numberOf(dim: Dim): number {
  return splitDim(dim).factor;
}

function sizeOf(shape: readonly Dim[]): number {
  return elementCount(shape.map(numberOf));
}
