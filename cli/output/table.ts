import stringWidth from 'string-width';
import { escaped } from './escape.ts';
import { type Terminal, terminalOf } from './terminal.ts';

/** Between two columns. */
const gap = '  ';
/** Characters that a column of text keeps where a terminal is narrow: a hash, a date. */
const leastText = 16;
/** The same where even that is too much. */
const leastAtAll = 6;

/**
 * Rows as aligned columns; numbers are right-aligned. The first row is the heading. On a terminal that is too narrow the
 * longest texts are shortened, then columns are left out from the right; numbers are never shortened.
 *
 * @param kept headings of columns that are never left out; the first column is one
 */
export function table(
  rows: readonly (readonly (string | number)[])[],
  kept: readonly string[] = [],
  terminal: Pick<Terminal, 'columns' | 'unicode'> = terminalOf(process.stdout),
): string {
  const cells = rows.map((row) => row.map(textOf));
  const [heading = []] = cells;
  const all = Array.from({ length: Math.max(...cells.map((row) => row.length)) }, (_, i): Column => {
    const numeric = rows.slice(1).every((row) => typeof (row[i] ?? 0) === 'number');
    const width = Math.max(...cells.map((row) => stringWidth(row[i] ?? '')));
    return { at: i, numeric, width, kept: i === 0 || kept.includes(heading[i] ?? '') };
  });
  const columns = fitted(all, terminal.columns ?? Infinity);
  return cells
    .map((row) =>
      columns
        .map((column) => cellText(row[column.at] ?? '', column, terminal.unicode))
        .join(gap)
        .trimEnd(),
    )
    .join('\n');
}

interface Column {
  readonly at: number;
  readonly numeric: boolean;
  readonly width: number;
  readonly kept: boolean;
}

const textOf = (cell: string | number): string =>
  typeof cell === 'number' ? cell.toLocaleString('en-US') : escaped(cell);

function cellText(text: string, { width, numeric }: Column, unicode: boolean): string {
  const shown = shortened(text, width, unicode);
  const space = ' '.repeat(Math.max(0, width - stringWidth(shown)));
  return numeric ? space + shown : shown + space;
}

/** Columns that fit into a line together, as wide as they may be. */
function fitted(columns: readonly Column[], most: number): readonly Column[] {
  const narrow = narrowed(columns, most, leastText);
  if (widthOf(narrow) <= most) return narrow;
  const last = columns.findLast((column) => !column.kept);
  if (last === undefined) return narrowed(columns, most, leastAtAll);
  return fitted(
    columns.filter((column) => column !== last),
    most,
  );
}

/** No text is wider than fits together, or than `least`. */
function narrowed(columns: readonly Column[], most: number, least: number): readonly Column[] {
  const widths = columns.map(({ numeric, width }) => (numeric ? 0 : width));
  let widest = Math.max(...widths);
  const narrow = (): readonly Column[] =>
    columns.map((column) => (column.numeric ? column : { ...column, width: Math.min(column.width, widest) }));
  while (widthOf(narrow()) > most && widest > least) widest -= 1;
  return narrow();
}

const widthOf = (columns: readonly Column[]): number =>
  columns.reduce((sum, { width }) => sum + width, 0) + gap.length * (columns.length - 1);

/** Text of at most so many columns; what is left out is told by an ellipsis. */
export function shortened(text: string, most: number, unicode: boolean): string {
  if (stringWidth(text) <= most) return text;
  const more = unicode ? '…' : '~';
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(kept + segment) > most - 1) break;
    kept += segment;
  }
  return kept + more;
}
