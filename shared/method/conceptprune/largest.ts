/**
 * Selection of the largest of a row without sorting it: radix selection, at most four passes over the candidates whatever
 * their values, so a hostile checkpoint cannot make it quadratic.
 */

/** Counts of one byte's values; one thread selects at a time. */
const histogram = new Uint32Array(256);

/**
 * The k-th largest (from 1) of the first `length` of `keys`.
 *
 * @param scratch at least `length` long; overwritten.
 */
export function kthLargest(keys: Uint32Array, length: number, k: number, scratch: Uint32Array): number {
  let from = keys;
  let left = length;
  let rank = k;
  for (let shift = 24; shift >= 0; shift -= 8) {
    histogram.fill(0);
    for (let i = 0; i < left; i++) {
      const byte = ((from[i] ?? 0) >>> shift) & 255;
      histogram[byte] = (histogram[byte] ?? 0) + 1;
    }
    let byte = 255;
    for (let count = histogram[byte] ?? 0; rank > count && byte > 0; count = histogram[byte] ?? 0) {
      rank -= count;
      byte -= 1;
    }
    let kept = 0;
    for (let i = 0; i < left; i++) {
      const key = from[i] ?? 0;
      if (((key >>> shift) & 255) === byte) scratch[kept++] = key;
    }
    from = scratch;
    left = kept;
    if (left === 1) break;
  }
  return from[0] ?? 0;
}

/** The bits of an fp32 number as an unsigned integer of the same order: larger numbers, larger keys; -0 is 0. */
export function orderedKey(bits: number): number {
  if (bits === 0x80000000) return 0x80000000;
  return (bits & 0x80000000) === 0 ? (bits | 0x80000000) >>> 0 : ~bits >>> 0;
}
