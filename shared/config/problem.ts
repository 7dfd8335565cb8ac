/** Keys and indices that lead to a value. */
export type Path = readonly (string | number)[];

/** Something that is wrong with a file. */
export interface Problem {
  /** Where, in UTF-16 code units from the start of the file. */
  readonly offset: number;
  /** Path of the value, such as `concepts[0].kind`; empty for the file itself. */
  readonly key: string;
  readonly problem: string;
}

/** `concepts[0].mask.sites`; keys that are no plain words are quoted. */
export function keyText(path: Path): string {
  return path
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`;
      const key = /^[\w-]{1,64}$/.test(step) ? step : JSON.stringify(step.slice(0, 64));
      return i === 0 ? key : `.${key}`;
    })
    .join('');
}

/** The lines of a text, to turn an offset into line and column: both from 1, columns in UTF-16 code units. */
export function linesOf(text: string): (offset: number) => { readonly line: number; readonly column: number } {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
