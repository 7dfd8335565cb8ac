import type { AddedToken } from './added-token.ts';
import { specialKeys, type TokenizerConfig } from './tokenizer-config.ts';
import { tokenizerInvalid } from './tokenizer-text.ts';
import type { Vocabulary } from './vocabulary.ts';

/** The tokens that are more than text, with their ids. */
export interface SpecialTokens {
  readonly bos: number;
  readonly eos: number;
  readonly pad: number;
  /** The id of what the vocabulary lacks. */
  readonly unknown: number;
  /** Everything that is cut out of a prompt as it stands, with its id. */
  readonly added: ReadonlyMap<AddedToken, number>;
  /** Added tokens that decode to text of their own, apart from their neighbours. */
  readonly apart: ReadonlySet<string>;
}

/**
 * Gives every special and added token its id as PreTrainedTokenizer does: the one a file gives, else the vocabulary's,
 * else the next after the vocabulary.
 *
 * Throws 'tokenizer-invalid' if one of bos, eos, unk and pad is nowhere: the reference would give it an id past the text
 * encoder's embeddings, or none. Also if two of them come to one id, which the reference forgets in part.
 */
export function specialTokens(config: TokenizerConfig, vocabulary: Vocabulary): SpecialTokens {
  const ids = new Map(vocabulary.ids);
  for (const [id, { content }] of config.added) ids.set(content, id);
  const required = (key: 'bos_token' | 'eos_token' | 'unk_token' | 'pad_token'): number => {
    const content = config.special[key]?.content;
    // The reference looks for the unknown token among the vocabulary's own.
    const id = content === undefined ? undefined : (key === 'unk_token' ? vocabulary.ids : ids).get(content);
    if (id !== undefined) return id;
    const why = content === undefined ? 'is not set' : `${JSON.stringify(content)} is not in the vocabulary`;
    throw tokenizerInvalid(config.pathOf(key), key, `${why} (${vocabulary.path})`);
  };
  const found = {
    bos: required('bos_token'),
    eos: required('eos_token'),
    pad: required('pad_token'),
    unknown: required('unk_token'),
  };
  const named = specialKeys.flatMap((key) => config.special[key] ?? []);
  const all = new Map([...named, ...config.additional].reverse().map((token) => [token.content, token]));
  const byContent = new Map([...config.added.values()].map((token) => [token.content, token]));
  let next = ids.size;
  for (const token of [...all.values()].reverse()) {
    if (token.content === '') continue;
    byContent.set(token.content, token);
    if (!ids.has(token.content)) ids.set(token.content, next++);
  }
  const idOf = (content: string): number => ids.get(content) ?? found.unknown;
  const owners = new Map<number, string>();
  for (const content of byContent.keys()) {
    const id = idOf(content);
    const owner = owners.get(id);
    if (owner !== undefined) {
      const why = `the special tokens ${JSON.stringify(owner)} and ${JSON.stringify(content)} both come to the id ${id}`;
      throw tokenizerInvalid(config.path, '', why);
    }
    owners.set(id, content);
  }
  const additional = config.additional.map(({ content }) => content);
  return {
    ...found,
    added: new Map([...byContent.values()].map((token) => [token, idOf(token.content)])),
    apart: new Set([
      ...[...byContent.keys()].filter((content) => !all.has(content)),
      ...additional.filter((content) => idOf(content) >= vocabulary.ids.size),
    ]),
  };
}
