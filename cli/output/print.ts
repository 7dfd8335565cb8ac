import { escaped, escapedJson, escapedLines } from './escape.ts';
import { terminalOf } from './terminal.ts';

/** Where lines go. */
export type TextStream = Pick<NodeJS.WritableStream, 'write'>;

/**
 * The one way to a terminal or a log for people: a rule of the linter keeps it so. Control characters never reach the stream,
 * whoever wrote the text; line ends do, so a value that has to stay in its line is `escaped` where it is put in.
 */
export function printTo(stream: TextStream, text: string): void {
  stream.write(`${escapedLines(text)}\n`);
}

/** A result for people. */
export function print(text: string): void {
  printTo(process.stdout, text);
}

/** What is told beside the result. */
export function tell(text: string): void {
  printTo(process.stderr, text);
}

/** The same in one line, whatever it names. */
export function tellLine(text: string): void {
  tell(escaped(text));
}

/** One JSON object in a line. */
export function printJsonTo(stream: TextStream, value: unknown): void {
  stream.write(`${escapedJson(value)}\n`);
}

/** A result for machines. */
export function printJson(value: unknown): void {
  printJsonTo(process.stdout, value);
}

/** A result in the form that was asked for: for machines with `--json`, else for people. */
export function printResult({ json }: { readonly json?: boolean | undefined }, value: unknown, text: string): void {
  if (json === true) printJson(value);
  else print(text);
}

/** Lines of colours and blocks. What is given is made of numbers alone: nothing from outside is in it, and nothing is escaped. */
export function drawOn(stream: TextStream, lines: readonly string[]): void {
  stream.write(`${lines.join('\n')}\n`);
}

/** Goes to the corner of a terminal that can and clears what is below. */
export function clearScreen(stream: NodeJS.WriteStream): void {
  if (terminalOf(stream).redraws) stream.write('\u001b[H\u001b[J');
}
