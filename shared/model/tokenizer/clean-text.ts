import { LetheError } from '../../error/lethe-error.ts';
import { unassignedRanges } from './unicode-14.ts';

const whitespace = /[\t\n\r\p{Zs}]/gu;
/** Ideographs of the blocks BasicTokenizer lists; kana and hangul are words with spaces to it. */
const ideograph =
  /[\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B820}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu;
/**
 * Zl and Zp are neither whitespace nor control to BasicTokenizer's cleaning, but str.split() parts at them. U+0345, the
 * iota subscript, is a mark that folds to a letter, so that no alternative of the reference's pattern matches it: it is
 * lost and parts words too.
 */
const separators = /[\u0345\u2028\u2029]/gu;

/** Categories C*: control, format, surrogate (so lone ones), private use, unassigned in Unicode 14; and U+FFFD. */
const dropped = new RegExp(
  `[\uFFFD\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}${unassignedRanges()
    .map(([first, last]) => `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`)
    .join('')}]`,
  'gu',
);

/**
 * Composition sorts the marks on a character by insertion, so 300,000 of them would take minutes. Text that Unicode calls
 * stream-safe (UAX #15) has at most 30.
 */
const maxMarks = 1024;

/**
 * The text as the slow tokenizer's BasicTokenizer(strip_accents=False, do_split_on_punc=False) hands it on: kinds of
 * space become a space, control characters go, ideographs stand alone, composed (NFC), in lower case. Spaces are not
 * collapsed: what reads the result only looks for what is between them. HTML entities stay: only ftfy would unescape them.
 *
 * Lower case is str.lower(), which is String.prototype.toLowerCase: locale-free, with the rule for final sigma. (Where the
 * two know different versions of Unicode, one assigned character matters: U+0295 counted as cased before Unicode 16, so a
 * sigma whose only neighbour is that letter may come out non-final here.)
 *
 * Throws 'usage' if more than 1,024 combining marks follow one another.
 */
export function cleanText(text: string): string {
  const kept = text.replace(whitespace, ' ').replace(dropped, '').replace(ideograph, ' $& ');
  const marks = kept.match(/\p{M}+/gu)?.find((run) => run.length > 2 * maxMarks || Array.from(run).length > maxMarks);
  if (marks !== undefined) {
    throw new LetheError('usage', {
      what: 'cannot tokenize the prompt',
      why: `more than ${maxMarks} combining marks follow one another`,
      next: 'leave the marks out, or most of them',
    });
  }
  return kept.normalize('NFC').toLowerCase().replace(separators, ' ');
}

/**
 * CLIP's pattern for what byte-pair encoding is applied to, special tokens in any case included; `i` with `u` folds as
 * Python's regex module does (U+017F is an s).
 */
const word = /<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/giu;

/** The words of a cleaned text: contractions, runs of letters, single digits, runs of anything else. */
export function wordsOf(cleaned: string): readonly string[] {
  return cleaned.match(word) ?? [];
}
