import type { Rate } from './report-data.ts';

/** A share of images: one decimal, since hundreds of images tell no more. */
export function sharePercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `97.5 % (91.4 to 99.3 %, 80 images)`. */
export function rateText({ share, low, high, of }: Rate): string {
  const trials = `${of} ${of === 1 ? 'image' : 'images'}`;
  return `${sharePercent(share)} (${(100 * low).toFixed(1)} to ${sharePercent(high)}, ${trials})`;
}
