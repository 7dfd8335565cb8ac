import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LetheError } from '../../error/lethe-error.ts';
import { relu } from '../ops/activation.ts';
import { add } from '../ops/arithmetic.ts';
import { halve } from '../ops/layout.ts';
import { type Graph, graphOf } from './graph.ts';
import { printGraph } from './print.ts';
import { floatConstant, input, type Value } from './value.ts';

const type = { element: 'float', shape: [2] } as const;

/** A recipe for values: each step adds two earlier ones, or halves one and adds the halves. */
const recipe = fc.record({
  steps: fc.array(fc.record({ a: fc.nat(), b: fc.nat(), split: fc.boolean() }), { minLength: 1, maxLength: 30 }),
  outputs: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
});

function cook({ steps }: { readonly steps: readonly { a: number; b: number; split: boolean }[] }): readonly Value[] {
  const values: Value[] = [
    input('x', type),
    input('y', type),
    floatConstant('c', [2], [1, 2]),
    { kind: 'parameter', name: 'w', type, location: { file: '/w', offset: 0, length: 8 } },
  ];
  for (const [i, { a, b, split }] of steps.entries()) {
    const [left, right] = [values[a % values.length]!, values[b % values.length]!];
    if (split) {
      const halves = halve(`step${i}`, left);
      values.push(add(`step${i}.wide`, add(`step${i}`, halves[b % 2]!, halves[0]), right));
    } else values.push(add(`step${i}`, left, right));
  }
  return values;
}

const collect = (made: readonly Value[], outputs: readonly number[]): Graph =>
  graphOf(
    'g',
    outputs.map((i) => made[i % made.length]!),
  );

const partsOf = ({ inputs, parameters, constants, nodes }: Graph) => [...inputs, ...parameters, ...constants, ...nodes];

describe('graphOf', () => {
  it('has every part that the outputs depend on once, operands before their users, and nothing else', () => {
    fc.assert(
      fc.property(recipe, ({ steps, outputs }) => {
        const graph = collect(cook({ steps }), outputs);
        const known = new Set<string>(
          [...graph.inputs, ...graph.parameters, ...graph.constants].map((part) => part.name),
        );
        for (const node of graph.nodes) {
          for (const operand of node.inputs) if (operand !== undefined) expect(known).toContain(operand.name);
          for (const { name } of node.outputs) {
            expect(known).not.toContain(name);
            known.add(name);
          }
        }
        expect(new Set(partsOf(graph)).size).toBe(partsOf(graph).length);

        const used = new Set<string>(graph.outputs.map(({ name }) => name));
        for (const node of [...graph.nodes].reverse()) {
          expect(node.outputs.some(({ name }) => used.has(name))).toBe(true);
          for (const operand of node.inputs) if (operand !== undefined) used.add(operand.name);
        }
        for (const part of [...graph.inputs, ...graph.parameters, ...graph.constants])
          expect(used).toContain(part.name);
      }),
    );
  });

  it('is a function of the values: built twice, in the same order', () => {
    fc.assert(
      fc.property(recipe, ({ steps, outputs }) => {
        const once = printGraph(collect(cook({ steps }), outputs));
        expect(printGraph(collect(cook({ steps }), outputs))).toBe(once);
      }),
    );
  });

  it('takes a value that is asked for twice as one output', () => {
    const x = relu('a', input('x', type));
    expect(graphOf('g', [x, x]).outputs).toEqual([x]);
  });

  it('is not limited by the call stack', () => {
    let value: Value = input('x', type);
    for (let i = 0; i < 100_000; i++) value = relu(`layer${i}`, value);
    expect(graphOf('deep', [value]).nodes).toHaveLength(100_000);
  });

  it.each<[string, () => Value[]]>([
    ['two nodes', () => [relu('m', input('x', type)), relu('m', input('y', type))]],
    ['two inputs', () => [add('m', input('x', type), input('x', type))]],
    ['an input and a constant', () => [add('m', input('x', type), floatConstant('x', [2], [0, 0]))]],
    ['an input and a node', () => [add('m', input('r/Relu', type), relu('r', input('x', type)))]],
    ['two nodes of two outputs', () => [...halve('m', input('x', type)), ...halve('m', input('y', type))]],
  ])('refuses %s of one name, by that name', (_, build) => {
    expect(() => graphOf('g', build())).toThrow(LetheError);
    expect(() => graphOf('g', build())).toThrow(
      expect.objectContaining({ code: 'graph-invalid', where: expect.stringMatching(/^(m\/.*|x|r\/Relu)$/) as string }),
    );
  });

  it('refuses to be empty', () => {
    expect(() => graphOf('g', [])).toThrow(expect.objectContaining({ code: 'graph-invalid', where: 'g' }));
  });
});
