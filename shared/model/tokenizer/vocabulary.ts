import type { TokenizerFiles } from '../../checkpoint/tokenizer-files.ts';
import { z } from 'zod';
import { addedTokenEntry, type AddedTokenEntry } from './added-token.ts';
import { checkMerges, mergesOfJson, mergesOfText, type Merge } from './merges.ts';
import { readTokenizerJson, readTokenizerText, tokenizerInvalid, tokenizerUnsupported } from './tokenizer-text.ts';

/** What byte-pair encoding needs: ids by token, and the merges in order of rank. */
export interface Vocabulary {
  /** The file that holds the ids, for messages. */
  readonly path: string;
  readonly ids: ReadonlyMap<string, number>;
  readonly merges: readonly Merge[];
  /** `added_tokens` of tokenizer.json, where there is one. */
  readonly addedTokens: readonly AddedTokenEntry[];
}

/** CLIP has 49,408 tokens; multilingual ones stay below 300,000. Entries and ids are kept below this. */
export const maxVocabulary = 2 ** 20;

const tokenizerJson = z.looseObject({
  added_tokens: z.array(addedTokenEntry).optional(),
  model: z.looseObject({
    type: z.string(),
    vocab: z.unknown(),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])], 'expected two symbols')),
    end_of_word_suffix: z.string().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    byte_fallback: z.boolean().nullish(),
    ignore_merges: z.boolean().nullish(),
  }),
});

type TokenizerJson = z.infer<typeof tokenizerJson>;

/**
 * The vocabulary of vocab.json and merges.txt, or of tokenizer.json where those are not there. With all three, the first
 * two hold ids and merges and tokenizer.json adds its added tokens, as transformers' slow tokenizers do.
 *
 * Throws 'tokenizer-invalid' for files that are missing, damaged or do not fit together, 'config-unsupported' for a
 * tokenizer.json of another kind than CLIP's.
 */
export async function readVocabulary(files: TokenizerFiles): Promise<Vocabulary> {
  const { directory, vocab, merges } = files;
  const json =
    files.tokenizerJson === undefined ? undefined : await readTokenizerJson(files.tokenizerJson, tokenizerJson);
  const addedTokens = json?.added_tokens ?? [];
  if (vocab !== undefined && merges !== undefined) {
    const ids = idsOf(vocab, '', await readTokenizerJson(vocab, z.unknown()));
    const ranked = mergesOfText(merges, await readTokenizerText(merges));
    checkMerges(merges, ranked, ids);
    return { path: vocab, ids, merges: ranked.map(({ merge }) => merge), addedTokens };
  }
  const path = files.tokenizerJson;
  if (json === undefined || path === undefined) {
    const missing = vocab !== undefined ? 'merges.txt' : merges !== undefined ? 'vocab.json' : 'vocab.json, merges.txt';
    throw tokenizerInvalid(directory, '', `has no ${missing} and no tokenizer.json`);
  }
  checkModel(path, json.model);
  const ids = idsOf(path, 'model.vocab', json.model.vocab);
  const ranked = mergesOfJson(path, json.model.merges);
  checkMerges(path, ranked, ids);
  return { path, ids, merges: ranked.map(({ merge }) => merge), addedTokens };
}

/** Refuses a model whose ids CLIP's rules would not give. */
function checkModel(path: string, model: TokenizerJson['model']): void {
  const refuse = (key: string, found: unknown, expected: string) => {
    throw tokenizerUnsupported(path, `model.${key}`, `is ${JSON.stringify(found)}, CLIP's is ${expected}`);
  };
  if (model.type !== 'BPE') refuse('type', model.type, '"BPE"');
  if (model.end_of_word_suffix !== '</w>') refuse('end_of_word_suffix', model.end_of_word_suffix, '"</w>"');
  if (model.continuing_subword_prefix) refuse('continuing_subword_prefix', model.continuing_subword_prefix, 'empty');
  if (model.byte_fallback === true) refuse('byte_fallback', true, 'false');
  if (model.ignore_merges === true) refuse('ignore_merges', true, 'false');
}

/** Checks a JSON object of ids by token: whole numbers in range, each once. */
function idsOf(path: string, key: string, value: unknown): Map<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw tokenizerInvalid(path, key, 'is not an object of ids by token');
  }
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length === 0 || entries.length > maxVocabulary) {
    throw tokenizerInvalid(path, key, `has ${entries.length} tokens, expected 1 to ${maxVocabulary}`);
  }
  const ids = new Map<string, number>();
  const owners = new Map<number, string>();
  for (const [token, id] of entries) {
    const at = `${key}[${JSON.stringify(token)}]`;
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= maxVocabulary) {
      throw tokenizerInvalid(
        path,
        at,
        `is ${JSON.stringify(id)}, expected a whole number from 0 to ${maxVocabulary - 1}`,
      );
    }
    const owner = owners.get(id);
    if (owner !== undefined) throw tokenizerInvalid(path, at, `has the id ${id} of ${JSON.stringify(owner)}`);
    owners.set(id, token);
    ids.set(token, id);
  }
  return ids;
}
