/**
 * What a terminal may take as a command, or shows as nothing or in another order: control characters (C0, DEL, C1), line and
 * paragraph separators, bidirectional overrides and other invisible formatting, halves of surrogate pairs. The two joiners
 * stay: emoji and scripts need them, and they move nothing.
 */
export const unprintable = /(?!\u200c|\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Whether text shows as it is, in one line. */
export function isPlainText(text: string): boolean {
  return text.search(unprintable) === -1;
}
