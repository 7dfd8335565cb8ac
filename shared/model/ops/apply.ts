import { LetheError } from '../../error/lethe-error.ts';
import { type ElementType, formatType, type TensorType } from '../graph/tensor-type.ts';
import type { Attribute, Node, Result, Value } from '../graph/value.ts';

/** Operators that are not in the ONNX specification come from onnxruntime's own domain. */
const contributed = new Set(['QuickGelu', 'MultiHeadAttention']);

/**
 * One node with several outputs. Operators check their operands before they call this: a graph that can be built is
 * well typed, and a shape that does not fit is reported with the module it belongs to, not by the runtime.
 */
export function applyMany(
  operator: string,
  module: string,
  inputs: readonly (Value | undefined)[],
  types: readonly TensorType[],
  attributes: Readonly<Record<string, Attribute>> = {},
): readonly Result[] {
  const name = `${module}/${operator}`;
  const node: Node = {
    name,
    operator,
    domain: contributed.has(operator) ? 'com.microsoft' : '',
    inputs,
    attributes,
    outputs: types.map((type, i) => ({ name: types.length === 1 ? name : `${name}:${i}`, type })),
  };
  return node.outputs.map((output) => ({ kind: 'result', name: output.name, type: output.type, node }));
}

/** One node with one output, named `<module>/<operator>`. */
export function apply(
  operator: string,
  module: string,
  inputs: readonly (Value | undefined)[],
  type: TensorType,
  attributes: Readonly<Record<string, Attribute>> = {},
): Value {
  const [result] = applyMany(operator, module, inputs, [type], attributes);
  if (result === undefined) throw operandError(operator, module, inputs, 'it makes no output');
  return result;
}

const floats: ReadonlySet<ElementType> = new Set<ElementType>(['float', 'double', 'float16', 'bfloat16']);

/** @throws LetheError `graph-invalid` unless all operands have one floating-point type. */
export function requireFloats(operator: string, module: string, operands: readonly (Value | undefined)[]): void {
  const found = new Set(operands.flatMap((value) => value?.type.element ?? []));
  if (found.size === 1 && [...found].every((element) => floats.has(element))) return;
  throw operandError(operator, module, operands, 'operands are not all of one floating-point type');
}

/** LetheError `graph-invalid` that names the node, what is wrong and what every operand is. */
export function operandError(
  operator: string,
  module: string,
  inputs: readonly (Value | undefined)[],
  why: string,
): LetheError {
  const operands = inputs.map((value) => (value === undefined ? '-' : `${value.name}: ${formatType(value.type)}`));
  return new LetheError('graph-invalid', {
    what: 'cannot build the graph',
    where: `${module}/${operator}`,
    why: `${why}; operands are ${operands.join(', ')}`,
    next: 'the model family that emits this node has a defect, or the config contradicts itself: report it with config.json',
  });
}

export const ints = (...value: readonly number[]): Attribute => ({ kind: 'ints', value });
export const int = (value: number): Attribute => ({ kind: 'int', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });
export const string = (value: string): Attribute => ({ kind: 'string', value });
