import { Option } from 'commander';
import { escaped } from './escape.ts';
import { print, printJson } from './print.ts';
import { table } from './table.ts';
import { type Terminal, terminalOf } from './terminal.ts';

/** Forms of a table beside the one for people. */
const forms = ['json', 'name', 'wide'] as const;

/** What commands that print tables are told of their form; `-o json` sets `json` too. */
export interface ListOptions {
  readonly json?: boolean;
  readonly output?: (typeof forms)[number];
}

/** `-o json|name|wide`, for commands that print a table. */
export const outputOption = (): Option =>
  new Option('-o, --output <form>', 'as JSON, as names alone, or with every column at full length').choices(forms);

/** A column of a list: those that come last are left out first where a terminal is narrow. */
export interface ListColumn<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => string | number;
  /** `kept`: in the narrowest terminal too. `wide`: only with `-o wide`. */
  readonly when?: 'kept' | 'wide';
}

/** What a command lists. */
export interface List<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly ListColumn<Row>[];
  /** What other commands call a row: `-o name` prints one a line. */
  readonly name: (row: Row) => string;
  /** The object of `--json`. */
  readonly json: unknown;
  /** For people, where there is no row. Without it the heading stands alone. */
  readonly none?: string;
  /** Lines for people below the table. */
  readonly below?: readonly string[];
}

/** Prints a list in the form that was asked for. */
export function printList<Row>({ json, output }: ListOptions, list: List<Row>): void {
  const { rows, columns, name, none, below = [] } = list;
  if (json === true) {
    printJson(list.json);
    return;
  }
  if (output === 'name') {
    const names = rows.map(name);
    if (names.length > 0) print(names.map(escaped).join('\n'));
    return;
  }
  if (rows.length === 0 && none !== undefined) {
    print(none);
    return;
  }
  print([listTable(rows, columns, output === 'wide'), ...below].join('\n'));
}

/** @param wide whether every column is shown, however wide the terminal is */
export function listTable<Row>(rows: readonly Row[], columns: readonly ListColumn<Row>[], wide = false): string {
  const shown = columns.filter(({ when }) => wide || when !== 'wide');
  const kept = shown.filter(({ when }) => when === 'kept').map(({ heading }) => heading);
  const terminal = terminalOf(process.stdout);
  return table(
    [shown.map(({ heading }) => heading), ...rows.map((row) => shown.map(({ cell }) => cell(row)))],
    kept,
    wide ? { ...terminal, columns: undefined } : terminal,
  );
}

/** Prints what several tables tell in the form that was asked for. @param text with every column at full length, or not */
export function printTables(
  { json, output }: ListOptions,
  value: unknown,
  names: readonly string[],
  text: (terminal: Terminal) => string,
): void {
  const terminal = terminalOf(process.stdout);
  if (json === true) printJson(value);
  else if (output === 'name') print(names.map(escaped).join('\n'));
  else print(text(output === 'wide' ? { ...terminal, columns: undefined } : terminal));
}
