import { floatConstant, type Value } from '../graph/value.ts';
import { fixed, type Module } from '../module.ts';
import { conv, evenPadding, resizeNearest } from '../ops/convolution.ts';
import { concat, depthToSpace, reshape } from '../ops/layout.ts';
import { matMul } from '../ops/product.ts';
import { conv2d } from './conv2d.ts';

/** diffusers.models.upsampling.Upsample2D: nearest-neighbour to height × width, then a 3×3 convolution. */
export function upsample(module: Module, x: Value, height: number, width: number): Value {
  const [, , h, w] = x.type.shape;
  const channels = fixed(x.type.shape[1], module.path);
  const doubles = height === 2 * fixed(h, module.path) && width === 2 * fixed(w, module.path);
  if (doubles) return doubledConv(module.child('conv'), x, channels);
  return conv2d(module.child('conv'), resizeNearest(module.path, x, height, width), channels, 3);
}

/**
 * diffusers.models.upsampling.Downsample2D: a 3×3 convolution with stride 2. Padding 0 stands for one row and one
 * column of zeros at the bottom and right only.
 */
export function downsample(module: Module, x: Value, padding: number): Value {
  const channels = fixed(x.type.shape[1], module.path);
  const pad = padding === 0 ? { top: 0, left: 0, bottom: 1, right: 1 } : evenPadding(padding);
  return conv2d(module.child('conv'), x, channels, 3, 2, pad);
}

/**
 * A 3×3 convolution of an image whose pixels were all doubled, on the image before: an output pixel meets only 2×2
 * different input pixels, so each of the four places a pixel can have in its pair of rows and columns is a 2×2
 * convolution whose weights are sums of the 3×3 ones. 4/9 of the products (sub-pixel convolution, arXiv 1609.05158).
 * The sums are made of the stored weight when the runtime loads the model.
 */
function doubledConv(module: Module, x: Value, channels: number): Value {
  const weight = module.parameter('weight', [channels, channels, 3, 3]);
  const bias = module.parameter('bias', [channels]);
  const kernels = reshape(`${module.path}.kernels`, weight, [channels * channels, 9]);
  const place = (row: 0 | 1, column: 0 | 1): Value => {
    const path = `${module.path}.${row}${column}`;
    const sums = floatConstant(`${path}/sums`, [9, 4], pairSums(row, column));
    const pairs = reshape(`${path}.pairs`, matMul(path, kernels, sums), [channels, channels, 2, 2]);
    return conv(path, x, pairs, bias, 1, { top: 1 - row, left: 1 - column, bottom: row, right: column });
  };
  const places = [place(0, 0), place(0, 1), place(1, 0), place(1, 1)];
  return depthToSpace(module.path, concat(module.path, places, 1), 2);
}

/** Which of a kernel's three weights fall on the first and on the second input pixel, for an even and an odd output. */
const taps = [
  [[0], [1, 2]],
  [[0, 1], [2]],
] as const;

/** [9, 4]: 1 where a weight of the 3×3 kernel is part of a weight of the 2×2 kernel. */
function pairSums(row: 0 | 1, column: 0 | 1): readonly number[] {
  const sums = Array<number>(9 * 4).fill(0);
  for (const [i, rows] of taps[row].entries())
    for (const [j, columns] of taps[column].entries())
      for (const r of rows) for (const c of columns) sums[(3 * r + c) * 4 + 2 * i + j] = 1;
  return sums;
}
