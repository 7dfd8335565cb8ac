import { describe, expect, it } from 'vitest';
import { refusalOf, smallWeights } from './model.spec-support.ts';
import { emptyBits } from '../tensor/bit-matrix.ts';
import type { Value } from './graph/value.ts';
import { fixed, Module, ParameterSource } from './module.ts';

const source = (...args: Parameters<typeof smallWeights>) => new ParameterSource(smallWeights(...args));

describe('ParameterSource', () => {
  it('gives a weight as it is stored, the same one every time', () => {
    const weights = source({ a: ['F32', 1], 'b.weight': ['BF16', 2, 3] });
    const stored = weights.stored('b.weight', [2, 3]);
    expect(stored).toEqual({
      kind: 'parameter',
      name: 'b.weight',
      type: { element: 'bfloat16', shape: [2, 3] },
      location: { file: '/checkpoint/model.safetensors', offset: 104, length: 12 },
    });
    expect(weights.stored('b.weight', [2, 3])).toBe(stored);
    expect(weights.float('b.weight', [2, 3])).toBe(weights.float('b.weight', [2, 3]));
    expect(weights.float('b.weight', [2, 3])).toMatchObject({ name: 'b.weight/Cast', type: { element: 'float' } });
  });

  it('gives rows as a span of their own', () => {
    const weights = source({ w: ['F16', 6, 5] });
    const rows = weights.rows('w', [6, 5], 2, 5);
    expect(rows).toMatchObject({ name: 'w[2:5]/Cast', type: { shape: [3, 5] } });
    const [stored] = rows.kind === 'result' ? rows.node.inputs : [];
    expect(stored).toMatchObject({ location: { offset: 100 + 2 * 10, length: 3 * 10 } });
    expect(weights.rows('w', [6, 5], 2, 5)).toBe(rows);
    expect(weights.rows('w', [6, 5], 0, 6)).toBe(weights.float('w', [6, 5]));
  });

  it('marks what is pruned of a weight, and of rows of it; a switched one is an input that knows its weight', () => {
    const set = emptyBits(6, 5);
    const stored = smallWeights({ w: ['F16', 6, 5], v: ['F16', 6, 5] });
    const weights = new ParameterSource(
      stored,
      new Map([
        ['w', { kind: 'always', set }],
        ['v', { kind: 'switched', sets: [set, set] }],
      ]),
    );
    const operand = (value: Value) => (value.kind === 'result' ? value.node.inputs[0] : undefined);
    expect(operand(weights.float('w', [6, 5]))).toMatchObject({ name: 'w', pruned: { set, first: 0 } });
    expect(operand(weights.rows('w', [6, 5], 2, 5))).toMatchObject({ name: 'w[2:5]', pruned: { set, first: 2 } });
    const part = weights.rows('v', [6, 5], 2, 5);
    expect(part).toMatchObject({
      kind: 'input',
      type: { element: 'float', shape: [3, 5] },
      weight: { stored: { name: 'v[2:5]', location: { length: 30 } }, sets: [{ first: 2 }, { first: 2 }] },
    });
    expect(weights.rows('v', [6, 5], 2, 5)).toBe(part);
  });

  it.each([
    [
      'is missing',
      () => source({}).float('up.weight', [2]),
      'there is no such tensor; the config asks for it with shape [2]',
    ],
    [
      'has another shape',
      () => source({ 'up.weight': ['F32', 3, 2] }).float('up.weight', [2, 3]),
      'its shape is [3,2], the config asks for [2,3]',
    ],
    [
      'has another rank',
      () => source({ 'up.weight': ['F32', 2] }).rows('up.weight', [2, 1], 0, 1),
      'its shape is [2], the config asks for [2,1]',
    ],
    [
      'holds integers',
      () => source({ 'up.weight': ['I8', 2] }).float('up.weight', [2]),
      'its dtype is I8, not one of F32, F64, F16, BF16',
    ],
    [
      'holds 8-bit floats',
      () => source({ 'up.weight': ['F8_E4M3', 2] }).stored('up.weight', [2]),
      'its dtype is F8_E4M3, not one of F32, F64, F16, BF16',
    ],
  ])('refuses a tensor that %s, by name and file', (_, action, why) => {
    const where = '/checkpoint/model.safetensors';
    expect(refusalOf(action)).toBe(`tensor-mismatch: cannot use tensor up.weight (${where}): ${why}`);
  });
});

describe('Module', () => {
  it('names what is in it after its path', () => {
    const root = new Module(source({ 'a.b.weight': ['F32', 2] }));
    expect(root.child('a').child('b').path).toBe('a.b');
    expect(root.child('a').child('b').parameter('weight', [2]).name).toBe('a.b.weight');
    expect([root.child('a.b').has('weight'), root.child('a.b').has('bias')]).toEqual([true, false]);
  });
});

describe('fixed', () => {
  it('refuses a size that is bound at run time, by the module that needs it', () => {
    expect(fixed(3, 'm')).toBe(3);
    expect(refusalOf(() => fixed('n', 'm'))).toContain('graph-invalid: cannot build the graph (m): ');
    expect(refusalOf(() => fixed(undefined, 'm'))).toContain('missing');
  });
});
