import stringWidth from 'string-width';
import { escaped } from './escape.ts';
import { shortened } from './table.ts';
import type { Terminal } from './terminal.ts';

/** How far something is, as one line says it. */
export interface ProgressState {
  readonly title: string;
  readonly done: number;
  readonly total: number;
  /** What is counted. */
  readonly unit: string;
  /** The most important first: those that do not fit are left out whole, from the end. */
  readonly notes: readonly string[];
}

const widestBar = 30;
const leastBar = 10;
const leastTitle = 12;
/** Columns of a terminal of unknown width. */
const usualColumns = 80;

/**
 * `name ██████░░░░ 12/64 units, 2 min 20 s left, 19 %`, within the terminal. Where it is narrow
 * notes are left out whole: half a note says something else.
 *
 * @param padded whether bars of several lines stand below one another: titles then have one width
 */
export function progressLine(
  { title, done, total, unit, notes }: ProgressState,
  terminal: Pick<Terminal, 'columns' | 'unicode'>,
  padded = false,
): string {
  // Terminals wrap after their last column.
  const most = (terminal.columns ?? usualColumns) - 1;
  const titleColumns = Math.max(leastTitle, Math.min(24, Math.floor(most / 4)));
  const barColumns = Math.max(leastBar, Math.min(widestBar, Math.floor(most / 4)));
  const name = shortened(escaped(title), titleColumns, terminal.unicode);
  const start = padded ? name + ' '.repeat(Math.max(0, titleColumns - stringWidth(name))) : name;
  const count = `${done}/${total}${unit === '' ? '' : ` ${unit}`}`;
  for (let kept = notes.length; kept >= 0; kept--) {
    const told = [count, ...notes.slice(0, kept)].map(escaped).join(', ');
    const space = most - stringWidth(start) - stringWidth(told) - 2;
    // It stays as long as it is while notes come and go; it is shortened for the first of them alone.
    if (space >= (kept > 1 ? barColumns : leastBar))
      return `${start} ${bar(done, total, Math.min(space, barColumns), terminal.unicode)} ${told}`;
  }
  return shortened(`${start} ${count}`, most, terminal.unicode);
}

function bar(done: number, total: number, columns: number, unicode: boolean): string {
  const full = total === 0 ? 0 : Math.floor((Math.min(done, total) / total) * columns);
  const [on, off] = unicode ? ['█', '░'] : ['#', '-'];
  return on.repeat(full) + off.repeat(columns - full);
}
