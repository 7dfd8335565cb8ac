import type { TensorType } from './tensor-type.ts';

/**
 * A graph is the set of values that its outputs are computed from. Values are immutable and point at what they are
 * made of, so a graph has no builder state, nothing unused can be in it, and any value can be an output.
 */
export type Value = Input | Parameter | Constant | Result;

/** Bound by the caller at every run. */
export interface Input {
  readonly kind: 'input';
  readonly name: string;
  readonly type: TensorType;
}

/** A weight of the checkpoint, left where it is: the runtime maps it from the file. */
export interface Parameter {
  readonly kind: 'parameter';
  /** The checkpoint's own name of it, as diffusers has it in memory. */
  readonly name: string;
  readonly type: TensorType;
  readonly location: ParameterLocation;
}

export interface ParameterLocation {
  /** Real path of the .safetensors file. */
  readonly file: string;
  /** Offset of the tensor's first byte in that file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** A small value that the graph itself carries. */
export interface Constant {
  readonly kind: 'constant';
  readonly name: string;
  readonly type: TensorType;
  readonly data: Float32Array | BigInt64Array | Uint8Array;
}

/** One output of a node. */
export interface Result {
  readonly kind: 'result';
  readonly name: string;
  readonly type: TensorType;
  readonly node: Node;
}

/** An operator of the ONNX specification (domain '') or of com.microsoft, applied to values. */
export interface Node {
  readonly name: string;
  readonly operator: string;
  readonly domain: '' | 'com.microsoft';
  /** `undefined` stands for an optional input that is left out. */
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly outputs: readonly { readonly name: string; readonly type: TensorType }[];
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] };

export function input(name: string, type: TensorType): Input {
  return { kind: 'input', name, type };
}

export function floatConstant(name: string, shape: readonly number[], data: readonly number[]): Constant {
  return { kind: 'constant', name, type: { element: 'float', shape }, data: Float32Array.from(data) };
}

export function intConstant(name: string, data: readonly number[]): Constant {
  const data64 = BigInt64Array.from(data.map(BigInt));
  return { kind: 'constant', name, type: { element: 'int64', shape: [data.length] }, data: data64 };
}

/** Truth values, a byte each: 0 or 1. */
export function boolConstant(name: string, shape: readonly number[], data: Uint8Array): Constant {
  return { kind: 'constant', name, type: { element: 'bool', shape }, data };
}
