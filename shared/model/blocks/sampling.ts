import type { Value } from '../graph/value.ts';
import { fixed, type Module } from '../module.ts';
import { evenPadding, resizeNearest } from '../ops/convolution.ts';
import { conv2d } from './conv2d.ts';

/** diffusers.models.upsampling.Upsample2D: nearest-neighbour to height × width, then a 3×3 convolution. */
export function upsample(module: Module, x: Value, height: number, width: number): Value {
  const channels = fixed(x.type.shape[1], module.path);
  return conv2d(module.child('conv'), resizeNearest(module.path, x, height, width), channels, 3);
}

/**
 * diffusers.models.downsampling.Downsample2D: a 3×3 convolution with stride 2. Padding 0 stands for one row and one
 * column of zeros at the bottom and right only.
 */
export function downsample(module: Module, x: Value, padding: number): Value {
  const channels = fixed(x.type.shape[1], module.path);
  const pad = padding === 0 ? { top: 0, left: 0, bottom: 1, right: 1 } : evenPadding(padding);
  return conv2d(module.child('conv'), x, channels, 3, 2, pad);
}
