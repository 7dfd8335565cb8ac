import { unprintable } from '../../shared/config/plain-text.ts';

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text from outside as part of one line: nothing in it moves the cursor, ends the line or turns what follows around. */
export function escaped(text: string): string {
  return text.replace(unprintable, escapeOf);
}

/** The same for text that has lines of its own, and keeps them. */
export function escapedLines(text: string): string {
  return text.replace(unprintable, (character) => (character === '\n' ? character : escapeOf(character)));
}

/** JSON that says the same without characters that a terminal may take as commands. */
export function escapedJson(value: unknown): string {
  return JSON.stringify(value).replace(unprintable, (character) =>
    Array.from({ length: character.length }, (_, i) => `\\u${hex(character.charCodeAt(i), 4)}`).join(''),
  );
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code > 0xffff) return `\\u{${code.toString(16)}}`;
  return short[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');
