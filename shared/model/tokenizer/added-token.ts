import { z } from 'zod';
import { stripEnd, stripStart } from './strip.ts';

/** A token that is cut out of the text before anything else looks at it, as written, case and all. */
export interface AddedToken {
  readonly content: string;
  /** Takes the whitespace before it with it. */
  readonly lstrip: boolean;
  /** Takes the whitespace after it with it. */
  readonly rstrip: boolean;
  /** Counts only between spaces or at an end of the text. */
  readonly singleWord: boolean;
}

const flags = {
  content: z.string(),
  lstrip: z.boolean().optional(),
  rstrip: z.boolean().optional(),
  single_word: z.boolean().optional(),
};

/** An added token as tokenizer_config.json and special_tokens_map.json spell it out. */
export const addedTokenObject = z.looseObject(flags);

/** An added token of tokenizer.json, which has its id with it. */
export const addedTokenEntry = z.looseObject({ ...flags, id: z.number() });
export type AddedTokenEntry = z.infer<typeof addedTokenEntry>;

/** The added token a file means by a string, or by an object with content. */
export function addedTokenOf(value: string | z.infer<typeof addedTokenObject>): AddedToken {
  if (typeof value === 'string') return { content: value, lstrip: false, rstrip: false, singleWord: false };
  const { content, lstrip = false, rstrip = false, single_word: singleWord = false } = value;
  return { content, lstrip, rstrip, singleWord };
}

/** A stretch of a prompt: an added token, or the text between two of them. */
export interface Section {
  readonly text: string;
  readonly added: boolean;
}

/** Cuts a text at added tokens. */
export type AddedTokenSplitter = (text: string) => Section[];

/**
 * A splitter for a set of added tokens, with the rules of PreTrainedTokenizer.tokenize: leftmost match, the longest one
 * there; then each token may take whitespace beside it, or, if it wants to stand alone and does not, falls back into the
 * text beside it. (The reference's trie errs where one added token lies inside another; this does not copy that.)
 */
export function addedTokenSplitter(tokens: readonly AddedToken[]): AddedTokenSplitter {
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const longestFirst = [...byContent.keys()].filter((content) => content !== '').sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return (text) => [{ text, added: false }];
  const escaped = longestFirst.map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&'));
  const boundary = new RegExp(`(${escaped.join('|')})`, 'u');
  return (text) => {
    const pieces = text.split(boundary).filter((piece) => piece !== '');
    for (const [i, piece] of pieces.entries()) {
      const token = byContent.get(piece);
      if (token !== undefined) settle(pieces, i, token);
    }
    return pieces.filter((piece) => piece !== '').map((piece) => ({ text: piece, added: byContent.has(piece) }));
  };
}

/** Applies one token's flags to the pieces beside it, in the order the reference does. */
function settle(pieces: string[], i: number, token: AddedToken): void {
  const left = pieces[i - 1] ?? '';
  const right = pieces[i + 1] ?? '';
  if (token.rstrip && right !== '') pieces[i + 1] = stripStart(right);
  if (token.lstrip && left !== '') pieces[i - 1] = stripEnd(left);
  if (!token.singleWord) return;
  // The reference looks at the neighbours as they were before they lost their whitespace.
  if (left !== '' && !left.endsWith(' ')) {
    pieces[i - 1] = (pieces[i - 1] ?? '') + token.content;
    pieces[i] = '';
  } else if (right !== '' && !right.startsWith(' ')) {
    pieces[i + 1] = token.content + (pieces[i + 1] ?? '');
    pieces[i] = '';
  }
}
