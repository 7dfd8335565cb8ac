import { fromByteAlphabet } from './byte-alphabet.ts';
import { stripEnd, stripStart } from './strip.ts';

/** transformers' clean_up_tokenization: one after the other, each over the whole text. */
const cleanUps: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/**
 * The text of a run of tokens, as PreTrainedTokenizer.decode gives it without skipping special tokens.
 *
 * Tokens in `apart` are text of their own with a space on either side; the bytes of the others are read together.
 */
export function decodeTokens(tokens: readonly string[], apart: ReadonlySet<string>, cleanUpSpaces: boolean): string {
  const texts: string[] = [];
  let run: string[] = [];
  const endRun = (isLast: boolean) => {
    if (run.length === 0) return;
    const text = stripStart(stripEnd(fromByteAlphabet(run.join('')).replaceAll('</w>', ' ')));
    if (text !== '' || isLast) texts.push(text);
    run = [];
  };
  for (const token of tokens) {
    if (!apart.has(token)) {
      run.push(token);
      continue;
    }
    endRun(false);
    texts.push(token);
  }
  endRun(true);
  const text = texts.join(' ');
  return cleanUpSpaces ? cleanUps.reduce((cleaned, [found, put]) => cleaned.replaceAll(found, put), text) : text;
}
