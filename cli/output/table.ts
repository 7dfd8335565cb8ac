/** Rows as aligned columns; numbers are right-aligned. The first row is the heading. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => String(row[i] ?? '').length)));
  const numeric = widths.map((_, i) => rows.slice(1).every((row) => typeof (row[i] ?? 0) === 'number'));
  return rows
    .map((row) =>
      row
        .map((cell, i) => {
          const text = typeof cell === 'number' ? cell.toLocaleString('en-US') : cell;
          return numeric[i] === true ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
