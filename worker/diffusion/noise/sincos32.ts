import { fma32 } from './fma32.ts';

const { fround } = Math;

const FOUR_OVER_PI = fround(1.27323954473516);
/** -π/4 in three parts (Cody and Waite): few enough bits that multiples of the first two are exact. */
const QUARTER_TURN_1 = -201 / 2 ** 8;
const QUARTER_TURN_2 = -2029 / 2 ** 23;
const QUARTER_TURN_3 = fround(-3.774894977445941e-8);
/** Cephes sinf: sin x = x + x³ · S(x²), highest power first. */
const S0 = fround(-1.9515295891e-4);
const S1 = fround(8.3321608736e-3);
const S2 = fround(-1.6666654611e-1);
/** Cephes cosf: cos x = 1 - x²/2 + x⁴ · C(x²), highest power first. */
const C0 = fround(2.443315711809948e-5);
const C1 = fround(-1.388731625493765e-3);
const C2 = fround(4.166664568298827e-2);

/** Sine and cosine of one angle. */
export interface SinCos {
  readonly sin: number;
  readonly cos: number;
}

/**
 * Sine and cosine of a float32 angle in [0, 2π] radians with the bits of `sincos256_ps` in
 * ATen/native/cpu/avx_mathfun.h, the AVX2 version of Cephes' sinf and cosf (Moshier), fused as GCC fuses it (see
 * log32.ts). A zero may have the other sign.
 */
export function sincos32(angle: number): SinCos {
  // The nearest even multiple of π/4: what is left of the angle lies within ±π/4.
  const octant = (Math.trunc(fround(angle * FOUR_OVER_PI)) + 1) & ~1;
  let x = fma32(octant, QUARTER_TURN_1, angle);
  x = fma32(octant, QUARTER_TURN_2, x);
  x = fma32(octant, QUARTER_TURN_3, x);
  const square = fround(x * x);

  let even = fma32(C0, square, C1);
  even = fma32(even, square, C2);
  even = fround(even * square);
  even = fma32(even, square, -0.5 * square);
  even = fround(even + 1);

  let odd = fma32(S0, square, S1);
  odd = fma32(odd, square, S2);
  odd = fround(odd * square);
  odd = fma32(odd, x, x);

  switch (octant & 6) {
    case 0:
      return { sin: odd, cos: even };
    case 2:
      return { sin: even, cos: -odd };
    case 4:
      return { sin: -odd, cos: -even };
    default:
      return { sin: -even, cos: odd };
  }
}
