import { floatConstant, type Value } from '../graph/value.ts';
import { fixed, type Module } from '../module.ts';
import { reshape } from '../ops/layout.ts';
import { channelAffine, instanceNormalization } from '../ops/normalization.ts';

/**
 * torch.nn.GroupNorm of x[b, c, h, w]: mean 0 and variance 1 over each of `groups` groups of channels, then an affine
 * map per channel. Groups are instances of one InstanceNormalization: onnxruntime has no CPU kernel for
 * GroupNormalization and would expand it into eight nodes.
 */
export function groupNorm(module: Module, x: Value, groups: number, epsilon: number): Value {
  const [batch, , height, width] = x.type.shape;
  const channels = fixed(x.type.shape[1], module.path);
  const pixels = fixed(height, module.path) * fixed(width, module.path);
  if (batch === undefined) return x;

  const { path } = module;
  const ones = floatConstant(`${path}/ones`, [groups], Array<number>(groups).fill(1));
  const zeros = floatConstant(`${path}/zeros`, [groups], Array<number>(groups).fill(0));
  const grouped = reshape(`${path}.group`, x, [batch, groups, (channels / groups) * pixels]);
  const normal = instanceNormalization(path, grouped, ones, zeros, epsilon);
  const image = reshape(`${path}.ungroup`, normal, x.type.shape);
  return channelAffine(path, image, module.parameter('weight', [channels]), module.parameter('bias', [channels]));
}
