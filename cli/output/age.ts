const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * The time since a moment as kubectl writes ages: one unit, rounded down: `45s`, `12m`, `3h`, `5d`.
 *
 * @param since milliseconds since 1970; undefined or 0: not known, which gives an empty text
 * @param now milliseconds since 1970; a moment after it, as by another machine's clock, is `0s`
 */
export function age(since: number | undefined, now: number): string {
  if (since === undefined || since === 0) return '';
  const seconds = Math.max(0, Math.floor((now - since) / 1000));
  if (seconds < 2 * minute) return `${seconds}s`;
  if (seconds < 2 * hour) return `${Math.floor(seconds / minute)}m`;
  if (seconds < 2 * day) return `${Math.floor(seconds / hour)}h`;
  return `${Math.floor(seconds / day)}d`;
}
