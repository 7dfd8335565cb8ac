/**
 * GPT-2's alphabet: a visible character for every byte, so that byte-pair encoding works on text without spaces or
 * control characters. Printable Latin-1 stands for itself; the other 68 bytes are U+0100 and on, in order.
 */
const characters: readonly string[] = (() => {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

const bytes: ReadonlyMap<string, number> = new Map(characters.map((character, byte) => [character, byte]));

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The UTF-8 bytes of a text, one character a byte. */
export function toByteAlphabet(text: string): string {
  let result = '';
  for (const byte of encoder.encode(text)) result += characters[byte] ?? '';
  return result;
}

/**
 * The text whose bytes these characters are; bytes that are not UTF-8 become U+FFFD, as Python's errors='replace' does. A
 * character outside the alphabet (only special tokens can have one) stands for itself.
 */
export function fromByteAlphabet(text: string): string {
  const found: number[] = [];
  for (const character of text) {
    const byte = bytes.get(character);
    if (byte === undefined) found.push(...encoder.encode(character));
    else found.push(byte);
  }
  return decoder.decode(Uint8Array.from(found));
}
