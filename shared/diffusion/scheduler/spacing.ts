/** How timesteps are laid over the training schedule: table 2 of arXiv 2305.08891. */
export type TimestepSpacing = 'leading' | 'linspace' | 'trailing';

/**
 * Timesteps in falling order. `trained` is the number of training timesteps, `last` one more than the greatest timestep
 * to use (equal to `trained` but where DPM-Solver++ clips). Follows set_timesteps of the diffusers schedulers (0.29.2).
 * 'linspace' gives fractions; the other two give whole numbers. 'trailing' can give one more than `count` where
 * trained / count is not exact: then the last is -1.
 */
export function spacedTimesteps(
  spacing: TimestepSpacing,
  count: number,
  trained: number,
  offset: number,
  last = trained,
): number[] {
  switch (spacing) {
    case 'leading': {
      const gap = Math.floor(last / count);
      return Array.from({ length: count }, (_, i) => (count - 1 - i) * gap + offset);
    }
    case 'linspace':
      return numpyLinspace(0, last - 1, count).reverse();
    case 'trailing':
      return numpyArange(last, 0, -(trained / count)).map((t) => roundHalfEven(t) - 1);
  }
}

/** numpy.linspace in float64, end included. */
export function numpyLinspace(start: number, stop: number, count: number): number[] {
  const step = (stop - start) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === 0 ? start : i === count - 1 ? stop : i * step + start));
}

/** numpy.arange in float64: as long as the quotient says, and each element a multiple of the first difference. */
function numpyArange(start: number, stop: number, step: number): number[] {
  const difference = start + step - start;
  return Array.from({ length: Math.ceil((stop - start) / step) }, (_, i) => start + i * difference);
}

/** numpy.round: halves go to the even neighbour. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
