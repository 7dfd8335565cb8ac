/** fp16 bit patterns (IEEE 754 binary16) as fp32, exactly; NaN stays NaN. */
export function widenHalf(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}

/** bf16 bit patterns as fp32: the same number, its fraction filled with zeros. */
export function widenBfloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return new Float32Array(Uint32Array.from(bits, (upper) => upper * 0x10000).buffer);
}
