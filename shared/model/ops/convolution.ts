import type { Dim } from '../graph/tensor-type.ts';
import { floatConstant, intConstant, type Value } from '../graph/value.ts';
import { apply, ints, operandError, requireFloats, string } from './apply.ts';

/** Zeros put around an image before a convolution, in pixels. */
export interface Padding {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export const evenPadding = (pixels: number): Padding => ({ top: pixels, left: pixels, bottom: pixels, right: pixels });

/** x[b, in, h, w] with w[out, in, kh, kw] and bias[out]. ONNX Conv, one group, no dilation. */
export function conv(module: string, x: Value, weight: Value, bias: Value, stride: number, padding: Padding): Value {
  const operands = [x, weight, bias];
  requireFloats('Conv', module, operands);
  if (x.type.shape.length !== 4 || weight.type.shape.length !== 4)
    throw operandError('Conv', module, operands, 'image and weight do not have four axes each');
  const [batch, channels, height, width] = x.type.shape;
  const [out, channelsW, kernelHeight, kernelWidth] = weight.type.shape;
  if (batch === undefined || out === undefined || channels !== channelsW)
    throw operandError('Conv', module, operands, 'the image has other channels than the weight');
  if (bias.type.shape.length !== 1 || bias.type.shape[0] !== out)
    throw operandError('Conv', module, operands, 'the bias has another length than the weight has outputs');
  const size = (input: Dim | undefined, kernel: Dim | undefined, pad: number): number => {
    if (typeof input !== 'number' || typeof kernel !== 'number')
      throw operandError('Conv', module, operands, 'height and width have to be bound');
    const result = Math.floor((input + pad - kernel) / stride) + 1;
    if (result < 1) throw operandError('Conv', module, operands, 'the image is smaller than the kernel');
    return result;
  };
  const shape = [
    batch,
    out,
    size(height, kernelHeight, padding.top + padding.bottom),
    size(width, kernelWidth, padding.left + padding.right),
  ];
  return apply(
    'Conv',
    module,
    operands,
    { element: x.type.element, shape },
    {
      strides: ints(stride, stride),
      pads: ints(padding.top, padding.left, padding.bottom, padding.right),
    },
  );
}

/**
 * Nearest-neighbour enlargement of x[b, c, h, w] to a given height and width; source pixel ⌊i · in / out⌋ as
 * torch.nn.functional.interpolate(mode='nearest'). ONNX Resize.
 */
export function resizeNearest(module: string, x: Value, height: number, width: number): Value {
  const [batch, channels, h, w] = x.type.shape;
  requireFloats('Resize', module, [x]);
  if (batch === undefined || typeof channels !== 'number' || typeof h !== 'number' || typeof w !== 'number')
    throw operandError('Resize', module, [x], 'channels, height and width have to be bound');
  const type = { element: x.type.element, shape: [batch, channels, height, width] };
  if (height % h !== 0 || width % w !== 0) {
    const sizes = intConstant(`${module}/Resize.sizes`, [height, width]);
    return apply('Resize', module, [x, undefined, undefined, sizes], type, { ...nearest, axes: ints(2, 3) });
  }
  // Only whole scales take the runtime's fast path.
  const scales = floatConstant(`${module}/Resize.scales`, [4], [1, 1, height / h, width / w]);
  return apply('Resize', module, [x, undefined, scales], type, nearest);
}

const nearest = {
  mode: string('nearest'),
  coordinate_transformation_mode: string('asymmetric'),
  nearest_mode: string('floor'),
};
