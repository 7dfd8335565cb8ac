import { relative, sep } from 'node:path';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  ModelProto,
  type NodeProto,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  type ValueInfoProto,
  type DeepPartial,
} from '../../../gen/onnx/onnx.ts';
import type { Graph } from './graph.ts';
import type { ElementType, TensorType } from './tensor-type.ts';
import type { Attribute, Constant, Node, Parameter } from './value.ts';

/** ONNX IR version and operator set that the graphs are written in: the oldest that has Gelu (20). */
const irVersion = 9;
const operatorSet = 20;

const dataTypes: Readonly<Record<ElementType, TensorProto_DataType>> = {
  float: TensorProto_DataType.FLOAT,
  double: TensorProto_DataType.DOUBLE,
  float16: TensorProto_DataType.FLOAT16,
  bfloat16: TensorProto_DataType.BFLOAT16,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
};

/**
 * Serialises a graph as an ONNX model whose weights stay in the checkpoint's files. Pruned ones are left out: `withWeights`
 * puts them in.
 *
 * @param weightsDirectory folder the runtime resolves external data against; every parameter's file lies below it.
 */
export function encodeModel(graph: Graph, weightsDirectory: string): Uint8Array {
  const model: DeepPartial<ModelProto> = {
    irVersion,
    producerName: 'lethe',
    opsetImport: [
      { domain: '', version: operatorSet },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: {
      name: graph.name,
      input: graph.inputs.map((value) => valueInfo(value.name, value.type)),
      output: graph.outputs.map((value) => valueInfo(value.name, value.type)),
      initializer: [
        ...graph.parameters
          .filter(({ pruned }) => pruned === undefined)
          .map((parameter) => externalTensor(parameter, weightsDirectory)),
        ...graph.constants.map(inlineTensor),
      ],
      node: graph.nodes.map(encodeNode),
    },
  };
  return ModelProto.encode(ModelProto.fromPartial(model)).finish();
}

/**
 * A model that `encodeModel` made with the weights it left out, whose bytes are now known. Two protobuf messages written
 * one after the other are read as one, so the model is not decoded. All of it is below 2 GiB, the limit of protobuf.
 */
export function withWeights(
  model: Uint8Array,
  weights: readonly { readonly parameter: Parameter; readonly bytes: Uint8Array }[],
): Uint8Array {
  if (weights.length === 0) return model;
  const initializer = weights.map(({ parameter: { name, type }, bytes }) => {
    return {
      name,
      dims: type.shape.map(Number),
      dataType: dataTypes[type.element],
      rawData: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
    };
  });
  return Buffer.concat([model, ModelProto.encode(ModelProto.fromPartial({ graph: { initializer } })).finish()]);
}

function valueInfo(name: string, type: TensorType): DeepPartial<ValueInfoProto> {
  const dim = type.shape.map((size) => ({
    value:
      typeof size === 'number'
        ? { $case: 'dimValue' as const, value: size }
        : { $case: 'dimParam' as const, value: size },
  }));
  return {
    name,
    type: { value: { $case: 'tensorType', value: { elemType: dataTypes[type.element], shape: { dim } } } },
  };
}

function externalTensor(parameter: Parameter, weightsDirectory: string): DeepPartial<TensorProto> {
  const { file, offset, length } = parameter.location;
  return {
    name: parameter.name,
    dims: parameter.type.shape.map(Number),
    dataType: dataTypes[parameter.type.element],
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      { key: 'location', value: relative(weightsDirectory, file).split(sep).join('/') },
      { key: 'offset', value: String(offset) },
      { key: 'length', value: String(length) },
    ],
  };
}

function inlineTensor(constant: Constant): DeepPartial<TensorProto> {
  const { buffer, byteOffset, byteLength } = constant.data;
  return {
    name: constant.name,
    dims: constant.type.shape.map(Number),
    dataType: dataTypes[constant.type.element],
    // Little-endian by the ONNX specification, as every platform onnxruntime-node runs on.
    rawData: Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength),
  };
}

function encodeNode(node: Node): DeepPartial<NodeProto> {
  return {
    name: node.name,
    opType: node.operator,
    domain: node.domain,
    input: node.inputs.map((value) => value?.name ?? ''),
    output: node.outputs.map((output) => output.name),
    attribute: Object.entries(node.attributes).map(([name, value]) => encodeAttribute(name, value)),
  };
}

function encodeAttribute(name: string, attribute: Attribute): DeepPartial<AttributeProto> {
  switch (attribute.kind) {
    case 'int':
      return { name, type: AttributeProto_AttributeType.INT, i: attribute.value };
    case 'float':
      return { name, type: AttributeProto_AttributeType.FLOAT, f: attribute.value };
    case 'string':
      return { name, type: AttributeProto_AttributeType.STRING, s: Buffer.from(attribute.value) };
    case 'ints':
      return { name, type: AttributeProto_AttributeType.INTS, ints: [...attribute.value] };
  }
}
