import { formatProduct, splitDim, type Dim } from './graph/tensor-type.ts';
import { floatConstant, type Node, type Value } from './graph/value.ts';
import { LetheError } from '../error/lethe-error.ts';
import { div, max, mul } from './ops/arithmetic.ts';
import { reshape } from './ops/layout.ts';
import { matMul } from './ops/product.ts';
import { reduceSum } from './ops/reduction.ts';

/** torch.nn.functional.normalize divides by max(‖row‖, 1e-12); this is its square. */
const squaredFloor = 1e-24;

/**
 * The input [rows, in] of each Linear that a value is computed from, by the layer's path (its weight's name without
 * `.weight`): what a site's layers are scored by.
 */
export function linearInputs(outputs: readonly Value[]): ReadonlyMap<string, Value> {
  const found = new Map<string, Value>();
  const seen = new Set<Node>();
  const pending = [...outputs];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (value.kind !== 'result' || seen.has(value.node)) continue;
    seen.add(value.node);
    const { operator, inputs } = value.node;
    const [x, weight] = inputs;
    const name = weight === undefined ? undefined : storedName(weight);
    // A GEGLU projection is two products on the halves of one weight: same input, one layer.
    const layer = name?.match(/^(.*)\.weight(\[.*\])?$/)?.[1];
    if (operator === 'Gemm' && x !== undefined && layer !== undefined) found.set(layer, x);
    pending.push(...inputs.filter((each) => each !== undefined));
  }
  return found;
}

/** The name of the weight behind casts, reshapes and pruning. */
function storedName(value: Value): string | undefined {
  if (value.kind === 'parameter') return value.name;
  if (value.kind !== 'result') return undefined;
  const source = value.node.inputs[value.node.operator === 'Where' ? 1 : 0];
  return source === undefined ? undefined : storedName(source);
}

/**
 * The statistic of one layer and step, per trajectory: s_j = Σ_rows x̂_ij² with x̂ = row / max(‖row‖₂, 1e-12), for
 * inputs x[trajectories × rows, n]; float[trajectories, 1, n]. In the graph and in fp32: one reduction and one product
 * rᵀ (x∘x) with r = 1 / max(Σ x², 1e-24), so that sums leave the device and activations never do.
 */
export function tap(layer: string, x: Value, trajectories: Dim): Value {
  const path = `${layer}.tap`;
  const [all = 1, n = 1] = x.type.shape;
  const rows = splitDim(all).factor / splitDim(trajectories).factor;
  if (!Number.isInteger(rows) || formatProduct([trajectories, rows]) !== formatProduct([all])) {
    throw new LetheError('graph-invalid', {
      what: 'cannot tap the layer',
      where: layer,
      why: `its ${all} input rows do not belong to ${trajectories}`,
      next: 'report it with config.json',
    });
  }
  const grouped = reshape(path, x, [trajectories, rows, n]);
  const squares = mul(`${path}.squares`, grouped, grouped);
  const norms = max(path, reduceSum(path, squares, 2), floatConstant(`${path}/floor`, [1], [squaredFloor]));
  const inverse = div(path, floatConstant(`${path}/one`, [1], [1]), norms);
  return matMul(path, reshape(`${path}.row`, inverse, [trajectories, 1, rows]), squares);
}
