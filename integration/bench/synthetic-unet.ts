import { open } from 'node:fs/promises';
import type { TensorDtype } from '../../shared/checkpoint/tensor-dtype.ts';
import type { WeightLocation, Weights } from '../../shared/checkpoint/weights.ts';
import { readSafetensors } from '../../shared/checkpoint/read-safetensors.ts';
import { parseUNetConfig, type UNetConfig } from '../../shared/model/family/unet/config.ts';
import { unet } from '../../shared/model/family/unet/unet.ts';
import { type Graph, graphOf } from '../../shared/model/graph/graph.ts';
import type { Parameter } from '../../shared/model/graph/value.ts';
import { Module, ParameterSource } from '../../shared/model/module.ts';

/** The UNet of Stable Diffusion 1.5: diffusers' defaults but for the width of the text. */
export const sd15Config: UNetConfig = parseUNetConfig({
  config: { _class_name: 'UNet2DConditionModel', sample_size: 64, cross_attention_dim: 768 },
  configPath: 'unet/config.json of Stable Diffusion 1.5',
});

const tokens = 77;

/** The guided graph of a config over the weights of a source. */
export function guidedGraphOf(source: ParameterSource, config: UNetConfig): Graph {
  const [height, width] = config.sampleSize;
  return graphOf('unet', [unet(new Module(source), config, { height, width, tokens, rows: 2 })]);
}

/** The weights in a file that `writeRandomWeights` wrote. */
export async function readWeights(path: string): Promise<Weights> {
  const file = await readSafetensors(path);
  const tensors = [...file.tensors].map(([name, tensor]): [string, WeightLocation] => [
    name,
    { ...tensor, name, file: file.path },
  ]);
  return { files: [file], tensors: new Map(tensors) };
}

/** Writes random fp16 weights for a config, piece by piece. Returns their number. */
export async function writeRandomWeights(path: string, config: UNetConfig): Promise<number> {
  const asked = new AskedSource();
  guidedGraphOf(asked, config);
  const dtype: TensorDtype = 'F16';
  let end = 0;
  const header = Object.fromEntries(
    [...asked.shapes].map(([name, shape]) => {
      const begin = end;
      end += 2 * shape.reduce((a, b) => a * b, 1);
      return [name, { dtype, shape, data_offsets: [begin, end] }];
    }),
  );
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));

  const file = await open(path, 'w');
  try {
    await file.writev([length, padded]);
    const piece = randomHalves(2 ** 23);
    for (let at = 0; at < end; at += piece.length) await file.write(piece, 0, Math.min(piece.length, end - at));
  } finally {
    await file.close();
  }
  return end / 2;
}

/** fp16 numbers of 2^-8 to 2^-6 with random signs and digits: neither zeros nor denormals, which compute at other speeds. */
function randomHalves(count: number): Uint8Array {
  const halves = new Uint16Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const [sign, exponent, digits] = [state >>> 31, 7 + ((state >>> 30) & 1), (state >>> 16) & 0x3ff];
    halves[i] = (sign << 15) | (exponent << 10) | digits;
  }
  return new Uint8Array(halves.buffer);
}

/** Has every weight it is asked for, and remembers its shape. */
class AskedSource extends ParameterSource {
  readonly shapes = new Map<string, readonly number[]>();

  constructor() {
    super({ files: [], tensors: new Map() });
  }

  override stored(name: string, shape: readonly number[]): Parameter {
    this.shapes.set(name, shape);
    const location = { file: '/none', offset: 0, length: 2 * shape.reduce((a, b) => a * b, 1) };
    return { kind: 'parameter', name, type: { element: 'float16', shape }, location };
  }
}
