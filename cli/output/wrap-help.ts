/** Columns of help that goes to no terminal: what commander takes then. */
const plainColumns = 80;

/**
 * Help as wide as `columns`: paragraphs are filled, examples go on in a next line after a backslash, as a shell takes them.
 * What is indented otherwise is commander's, which has wrapped it.
 */
export function wrapHelp(text: string, { columns = plainColumns }: { readonly columns?: number }): string {
  const wrapped: string[] = [];
  let paragraph: string[] = [];
  const endParagraph = (): void => {
    if (paragraph.length > 0) wrapped.push(...filled(paragraph.join(' ').split(' '), columns, '', ''));
    paragraph = [];
  };
  for (const line of text.replaceAll(/ \\\n +/g, ' ').split('\n')) {
    if (/^\S/.test(line)) {
      paragraph.push(line);
      continue;
    }
    endParagraph();
    const isExample = line.startsWith('  $ ') && line.length > columns;
    wrapped.push(
      ...(isExample ? filled(shellWords(line.slice(2), columns - 8), columns - 2, ' \\', '    ', '  ') : [line]),
    );
  }
  endParagraph();
  return wrapped.join('\n');
}

/** Words in lines of at most so many columns; `more` ends a line that goes on, `hang` begins the next. */
function filled(words: readonly string[], columns: number, more: string, hang: string, indent = ''): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > columns - more.length) {
      lines.push(`${indent}${line}${more}`);
      line = `${hang}${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, `${indent}${line}`];
}

/** Parts of a command between which a line may end: an option stays with its value if they fit, and quotes hold together. */
function shellWords(command: string, columns: number): readonly string[] {
  const words = command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  const parts: string[] = [];
  for (const word of words) {
    const before = parts.at(-1);
    const isValue = before !== undefined && /^--?[A-Za-z-]+$/.test(before) && !word.startsWith('-');
    if (before === '$' || (isValue && before.length + 1 + word.length <= columns))
      parts[parts.length - 1] = `${before} ${word}`;
    else parts.push(word);
  }
  return parts;
}
