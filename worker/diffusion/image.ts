/** An image as a pipeline's output_type='pt': float[channels, height, width] in [0, 1]. */
export interface Image {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

/** From the decoder's range: clamp(x / 2 + 0.5) (diffusers image_processor.py, denormalize). */
export function denormalize(decoded: Float32Array): Float32Array {
  return decoded.map((value) => Math.min(Math.max(Math.fround(Math.fround(value / 2) + 0.5), 0), 1));
}

/** 8-bit pixels, [height, width, channels]: round half to even of 255 x, as numpy_to_pil. */
export function toBytes(image: Image): Uint8Array {
  const { channels, height, width, data } = image;
  const bytes = new Uint8Array(data.length);
  const plane = height * width;
  for (let pixel = 0; pixel < plane; pixel++)
    for (let channel = 0; channel < channels; channel++)
      bytes[pixel * channels + channel] = roundHalfToEven(Math.fround((data[channel * plane + pixel] ?? 0) * 255));
  return bytes;
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Images side by side in rows of `columns`, all of one size; empty places are black. */
export function contactSheet(images: readonly Image[], columns: number): Image {
  const [first] = images;
  if (first === undefined) return { channels: 3, height: 0, width: 0, data: new Float32Array() };
  const across = Math.min(columns, images.length);
  const { channels } = first;
  const height = first.height * Math.ceil(images.length / across);
  const width = first.width * across;
  const data = new Float32Array(channels * height * width);
  for (const [i, image] of images.entries()) {
    const top = Math.floor(i / across) * first.height;
    const left = (i % across) * first.width;
    for (let row = 0; row < channels * first.height; row++) {
      const channel = Math.floor(row / first.height);
      const y = top + (row % first.height);
      const source = image.data.subarray(row * first.width, (row + 1) * first.width);
      data.set(source, (channel * height + y) * width + left);
    }
  }
  return { channels, height, width, data };
}
