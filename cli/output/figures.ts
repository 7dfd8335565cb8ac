/** Figures as people read them. */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** Hex digits by which a mask is told. */
export const shortHash = (hash: string): string => hash.slice(0, 12);

export const countOf = (value: number): string => value.toLocaleString('en-US');

/** Seconds as `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const rounded = Math.round(seconds);
  if (rounded < 60) return `${rounded} s`;
  if (rounded < 3600) return `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
  return `${Math.floor(rounded / 3600)} h ${Math.floor((rounded % 3600) / 60)} min`;
}
