/**
 * What Python's str.isspace() accepts. Against JavaScript's trim(): U+001C to U+001F and U+0085 are in, U+FEFF is not.
 */
const whitespace: ReadonlySet<string> = new Set(
  '\t\n\v\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a' +
    '\u2028\u2029\u202f\u205f\u3000',
);

/** str.lstrip(): the text without the whitespace it starts with. */
export function stripStart(text: string): string {
  let start = 0;
  while (whitespace.has(text.charAt(start))) start++;
  return text.slice(start);
}

/** str.rstrip(): the text without the whitespace it ends with. */
export function stripEnd(text: string): string {
  let end = text.length;
  while (whitespace.has(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
