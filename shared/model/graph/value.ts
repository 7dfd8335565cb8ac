import type { BitMatrix } from '../../tensor/bit-matrix.ts';
import type { TensorType } from './tensor-type.ts';

/**
 * A graph is the set of values that its outputs are computed from. Values are immutable and point at what they are
 * made of, so a graph has no builder state, nothing unused can be in it, and any value can be an output.
 */
export type Value = Input | Parameter | Constant | Result;

/** Bound by the caller at every run; a switched weight by the session. */
export interface Input {
  readonly kind: 'input';
  readonly name: string;
  readonly type: TensorType;
  readonly weight?: SwitchedWeight;
}

/** A weight of which one of several sets of entries counts as 0; every run says which. */
export interface SwitchedWeight {
  readonly stored: Parameter;
  readonly sets: readonly PrunedRows[];
}

/** A weight of the checkpoint, left where it is: the runtime maps it from the file. */
export interface Parameter {
  readonly kind: 'parameter';
  /** The checkpoint's own name of it, as diffusers has it in memory. */
  readonly name: string;
  readonly type: TensorType;
  readonly location: ParameterLocation;
  /** Entries that count as 0, whatever the file holds there. */
  readonly pruned?: PrunedRows;
}

/** The rows of a set, from `first` on, that belong to a weight: all of them, or those of a part of it. */
export interface PrunedRows {
  readonly set: BitMatrix;
  readonly first: number;
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
  readonly data: Float32Array | BigInt64Array;
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
