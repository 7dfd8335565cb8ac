import { LetheError } from '../../error/lethe-error.ts';
import type { Constant, Input, Node, Parameter, Value } from './value.ts';

/** What an encoder or a printer needs: everything its outputs depend on, each once, operands before their users. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly parameters: readonly Parameter[];
  readonly constants: readonly Constant[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly Value[];
}

/**
 * Collects the graph of some values; one that is asked for twice is one output. The order of its parts is a function of the values alone.
 *
 * @throws LetheError `graph-invalid` when two different parts have one name, or nothing is asked for.
 */
export function graphOf(name: string, outputs: readonly Value[]): Graph {
  const inputs: Input[] = [];
  const parameters: Parameter[] = [];
  const constants: Constant[] = [];
  const nodes: Node[] = [];
  const named = new Map<string, object>();

  if (outputs.length === 0) throw invalid(name, 'it has no outputs', 'ask for at least one value');

  // True the first time something is met; a second thing of the same name is a defect of a block.
  const isNew = (key: string, part: object): boolean => {
    const known = named.get(key);
    if (known === part) return false;
    if (known !== undefined)
      throw invalid(key, 'two different values have this name', 'give the module that makes one of them its own path');
    named.set(key, part);
    return true;
  };

  // Depth first with a stack of its own: a deep model would overflow the call stack.
  const pending: { value: Value; expanded: boolean }[] = [...outputs]
    .reverse()
    .map((value) => ({ value, expanded: false }));
  for (let top = pending.pop(); top !== undefined; top = pending.pop()) {
    const { value, expanded } = top;
    if (value.kind === 'result') {
      const { node } = value;
      if (expanded) {
        if (!named.has(value.name)) {
          nodes.push(node);
          for (const output of node.outputs) isNew(output.name, node);
        } else isNew(value.name, node);
      } else if (named.get(value.name) !== node) {
        pending.push({ value, expanded: true });
        for (let i = node.inputs.length - 1; i >= 0; i--) {
          const operand = node.inputs[i];
          if (operand !== undefined) pending.push({ value: operand, expanded: false });
        }
      }
    } else if (isNew(value.name, value)) {
      if (value.kind === 'input') inputs.push(value);
      else if (value.kind === 'parameter') parameters.push(value);
      else constants.push(value);
    }
  }
  return { name, inputs, parameters, constants, nodes, outputs: [...new Set(outputs)] };
}

function invalid(where: string, why: string, next: string): LetheError {
  return new LetheError('graph-invalid', { what: 'cannot build the graph', where, why, next });
}
