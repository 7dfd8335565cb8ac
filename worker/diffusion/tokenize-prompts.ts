import { setImmediate as turn } from 'node:timers/promises';
import type { ClipTokenizer, TokenizedPrompt } from '../../shared/model/tokenizer/clip-tokenizer.ts';

/** Prompts as the text encoder takes them, each text once. The thread does other things between two: the longest takes it a tenth of a second. */
export async function tokenizePrompts(
  tokenizer: Pick<ClipTokenizer, 'encode'>,
  prompts: readonly string[],
): Promise<readonly TokenizedPrompt[]> {
  const known = new Map<string, TokenizedPrompt>();
  const tokenized: TokenizedPrompt[] = [];
  for (const prompt of prompts) {
    let one = known.get(prompt);
    if (one === undefined) {
      if (known.size > 0) await turn();
      one = tokenizer.encode(prompt);
      known.set(prompt, one);
    }
    tokenized.push(one);
  }
  return tokenized;
}
