import { describe, expect, it } from 'vitest';
import {
  AttributeProto_AttributeType,
  ModelProto,
  type StringStringEntryProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
} from '../../../gen/onnx/onnx.ts';
import { commonDirectory } from '../../checkpoint/common-directory.ts';
import { openCheckpoint } from '../../checkpoint/open-checkpoint.ts';
import { clipText } from '../family/clip/clip-text.ts';
import { parseClipTextConfig } from '../family/clip/config.ts';
import { parseUNetConfig } from '../family/unet/config.ts';
import { unet } from '../family/unet/unet.ts';
import { Module, ParameterSource } from '../module.ts';
import { quickGelu } from '../ops/activation.ts';
import { conv, evenPadding, resizeNearest } from '../ops/convolution.ts';
import { reshape } from '../ops/layout.ts';
import { encodeModel } from './encode.ts';
import { graphOf } from './graph.ts';
import { floatConstant, input, type Parameter } from './value.ts';

const parameter = (name: string, file: string, offset: number, ...shape: number[]): Parameter => ({
  kind: 'parameter',
  name,
  type: { element: 'float', shape },
  location: { file, offset, length: 4 * shape.reduce((a, b) => a * b, 1) },
});

const placeOf = (entries: readonly StringStringEntryProto[]): Record<string, string> =>
  Object.fromEntries(entries.map(({ key = '', value = '' }) => [key, value]));

describe('encodeModel', () => {
  const x = input('x', { element: 'float', shape: ['2*n', 4, 6, 6] });
  const weight = parameter('conv.weight', '/hub/blobs/a', 123, 8, 4, 3, 3);
  const bias = parameter('conv.bias', '/hub/blobs/deep/b', 2 ** 40 + 1, 8);
  const image = resizeNearest('up', conv('conv', x, weight, bias, 1, evenPadding(1)), 9, 9);
  const model = ModelProto.decode(
    encodeModel(graphOf('g', [reshape('r', quickGelu('act', image, 1.702), ['2*n', 648])]), '/hub/blobs'),
  );
  const graph = model.graph!;

  it('says which operators it is written in', () => {
    expect(model.irVersion).toBe(9);
    expect(model.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      ['', 20],
      ['com.microsoft', 1],
    ]);
    expect(graph.node.map(({ name, opType, domain }) => [name, opType, domain])).toEqual([
      ['conv/Conv', 'Conv', ''],
      ['up/Resize', 'Resize', ''],
      ['act/QuickGelu', 'QuickGelu', 'com.microsoft'],
      ['r/Reshape', 'Reshape', ''],
    ]);
  });

  it('names unbound sizes and gives the others', () => {
    const dims = graph.input[0]!.type!.value!;
    expect(dims.$case).toBe('tensorType');
    const shape = dims.$case === 'tensorType' ? dims.value.shape!.dim.map(({ value }) => value!.value) : [];
    expect(shape).toEqual(['2*n', 4, 6, 6]);
  });

  it('leaves parameters where they are, relative to the folder of all', () => {
    const external = graph.initializer.filter(({ dataLocation }) => dataLocation === TensorProto_DataLocation.EXTERNAL);
    const found = external.map(({ name, dims, dataType, externalData, rawData }) => {
      expect(dataType).toBe(TensorProto_DataType.FLOAT);
      expect(rawData).toHaveLength(0);
      return [name, dims, placeOf(externalData)];
    });
    expect(found).toEqual([
      ['conv.weight', [8, 4, 3, 3], { location: 'a', offset: '123', length: '1152' }],
      ['conv.bias', [8], { location: 'deep/b', offset: '1099511627777', length: '32' }],
    ]);
  });

  it('carries constants itself, little-endian', () => {
    const sizes = graph.initializer.find(({ name }) => name === 'up/Resize.sizes')!;
    expect([...sizes.rawData!]).toEqual([9, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
    expect(sizes.dataType).toBe(TensorProto_DataType.INT64);
    const slice = { ...floatConstant('c', [1], [0]), data: Float32Array.of(1, 2, 3).subarray(1, 2) };
    const sliced = ModelProto.decode(encodeModel(graphOf('c', [slice]), '/')).graph!.initializer[0]!;
    expect([...sliced.rawData!]).toEqual([0, 0, 0, 0x40]);
  });

  it('keeps attributes and empty places of optional inputs', () => {
    const [, resize, gelu] = graph.node;
    expect(resize!.input).toEqual(['conv/Conv', '', '', 'up/Resize.sizes']);
    const attributes = resize!.attribute.map(({ name, type, s, ints }) => [name, type, String(s), ints]);
    expect(attributes).toContainEqual(['mode', AttributeProto_AttributeType.STRING, 'nearest', []]);
    expect(attributes).toContainEqual(['axes', AttributeProto_AttributeType.INTS, '', [2, 3]]);
    const [alpha] = gelu!.attribute;
    expect([alpha!.name, alpha!.type, alpha!.f]).toEqual([
      'alpha',
      AttributeProto_AttributeType.FLOAT,
      Math.fround(1.702),
    ]);
  });

  it.each(['unusual', 'uneven'])(
    'gives every weight of %s the span it has in its file, or a part of it',
    async (name) => {
      const checkpoint = await openCheckpoint(`integration/golden/vectors/${name}/checkpoint`);
      const text = parseClipTextConfig(checkpoint.textEncoder);
      const values = [
        unet(new Module(new ParameterSource(checkpoint.unet.weights)), parseUNetConfig(checkpoint.unet), {
          height: 8,
          width: 8,
          tokens: 3,
          rows: 1,
        }),
        clipText(new Module(new ParameterSource(checkpoint.textEncoder.weights)), text, 8),
      ];
      const tensors = new Map([...checkpoint.unet.weights.tensors, ...checkpoint.textEncoder.weights.tensors]);
      const both = graphOf('both', values);
      const directory = commonDirectory(both.parameters.map(({ location }) => location.file));
      const { initializer } = ModelProto.decode(encodeModel(both, directory)).graph!;
      const external = initializer.filter(({ dataLocation }) => dataLocation === TensorProto_DataLocation.EXTERNAL);
      expect(external).toHaveLength(both.parameters.length);
      for (const { name: own = '', externalData } of external) {
        const { location = '', offset, length } = placeOf(externalData);
        const { file, begin, end } = tensors.get(own.replace(/\[.*\]$/, ''))!;
        expect(location).not.toMatch(/^\/|\.\./);
        expect(`${directory}/${location}`).toBe(file);
        expect(Number(offset)).toBeGreaterThanOrEqual(begin);
        expect(Number(offset) + Number(length)).toBeLessThanOrEqual(end);
        if (!own.endsWith(']')) expect([Number(offset), Number(length)]).toEqual([begin, end - begin]);
      }
    },
  );
});
