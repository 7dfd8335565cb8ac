import type { Graph } from './graph.ts';
import { formatType } from './tensor-type.ts';
import type { Attribute, Node } from './value.ts';

/**
 * A graph as text, one line a part, in order: for tests, reviews and bug reports.
 *
 *     input  sample: float[trajectories,4,16,16]
 *     conv_in/Conv: float[trajectories,64,16,16] = Conv(sample, conv_in.weight, conv_in.bias) {pads: 1 1 1 1}
 *     output noise_prediction
 */
export function printGraph(graph: Graph): string {
  return [
    `graph ${graph.name}`,
    ...graph.inputs.map((value) => `input ${value.name}: ${formatType(value.type)}`),
    ...graph.parameters.map((value) => `parameter ${value.name}: ${formatType(value.type)}`),
    ...graph.constants.map((value) => `constant ${value.name}: ${formatType(value.type)}`),
    ...graph.nodes.map(printNode),
    ...graph.outputs.map((value) => `output ${value.name}: ${formatType(value.type)}`),
    '',
  ].join('\n');
}

function printNode(node: Node): string {
  const outputs = node.outputs.map((output) => `${output.name}: ${formatType(output.type)}`).join(', ');
  const inputs = node.inputs.map((value) => value?.name ?? '-').join(', ');
  const attributes = Object.entries(node.attributes).map(([key, value]) => `${key}: ${printAttribute(value)}`);
  const tail = attributes.length === 0 ? '' : ` {${attributes.join(', ')}}`;
  return `${outputs} = ${node.operator}(${inputs})${tail}`;
}

function printAttribute(attribute: Attribute): string {
  return attribute.kind === 'ints' ? attribute.value.join(' ') : String(attribute.value);
}
