import type { TokenizerFiles } from '../../checkpoint/tokenizer-files.ts';
import { z } from 'zod';
import { addedTokenObject, addedTokenOf, type AddedToken, type AddedTokenEntry } from './added-token.ts';
import { readTokenizerJson, tokenizerInvalid, tokenizerUnsupported } from './tokenizer-text.ts';
import { maxVocabulary } from './vocabulary.ts';

/** The special tokens with a key of their own, in the order in which transformers gives ids to new ones. */
export const specialKeys = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;
export type SpecialKey = (typeof specialKeys)[number];

/** What the files beside the vocabulary say. */
export interface TokenizerConfig {
  /** tokenizer.model_max_length; undefined where it is not set. The 1e30 that transformers writes for "no limit" is kept. */
  readonly modelMaxLength: number | undefined;
  readonly special: Readonly<Partial<Record<SpecialKey, AddedToken>>>;
  readonly additional: readonly AddedToken[];
  /** Added tokens with the ids the files give them. */
  readonly added: ReadonlyMap<number, AddedToken>;
  /** Whether special tokens in a prompt are tokenized like other text. */
  readonly splitSpecialTokens: boolean;
  /** Whether decoding takes out spaces before punctuation. */
  readonly cleanUpSpaces: boolean;
  /** tokenizer_config.json, or the folder without one, for messages. */
  readonly path: string;
  /** The file a special token was read from, for messages. */
  readonly pathOf: (key: SpecialKey) => string;
}

const token = z.union([z.string(), addedTokenObject], 'expected a token, or an object with its content');
const special = token.nullish();
const specialTokens = {
  ...(Object.fromEntries(specialKeys.map((key) => [key, special])) as Record<SpecialKey, typeof special>),
  additional_special_tokens: z.array(token).nullish(),
};
const specialTokensMap = z.looseObject(specialTokens);
const configFile = z.looseObject({
  ...specialTokens,
  model_max_length: z.number().nullish(),
  max_len: z.number().nullish(),
  added_tokens_decoder: z.record(z.string(), addedTokenObject).optional(),
  split_special_tokens: z.boolean().optional(),
  clean_up_tokenization_spaces: z.boolean().optional(),
  padding_side: z.string().optional(),
  truncation_side: z.string().optional(),
});
const addedTokensFile = z.record(z.string(), z.number());

/** CLIPTokenizer's own special tokens, for what no file names. */
const clipDefaults: Readonly<Partial<Record<SpecialKey, string>>> = {
  bos_token: '<|startoftext|>',
  eos_token: '<|endoftext|>',
  unk_token: '<|endoftext|>',
  pad_token: '<|endoftext|>',
};

/**
 * Reads what is beside the vocabulary as transformers 4.44.2 does for a slow tokenizer: tokenizer_config.json first; and
 * if that has no `added_tokens_decoder`, special_tokens_map.json overrides its tokens and added_tokens.json and
 * tokenizer.json (`fastAdded`) give ids to added ones. A token that is set to null is none.
 *
 * Throws 'tokenizer-invalid' for files that are damaged, 'config-unsupported' for padding or truncation on the left.
 */
export async function readTokenizerConfig(
  files: TokenizerFiles,
  fastAdded: readonly AddedTokenEntry[],
): Promise<TokenizerConfig> {
  const config = files.config === undefined ? {} : await readTokenizerJson(files.config, configFile);
  const configPath = files.config ?? files.directory;
  for (const key of ['padding_side', 'truncation_side'] as const) {
    if ((config[key] ?? 'right') !== 'right') {
      throw tokenizerUnsupported(configPath, key, `is ${JSON.stringify(config[key])}, Lethe does only "right"`);
    }
  }
  const decoder = config.added_tokens_decoder;
  const mapped =
    decoder !== undefined || files.specialTokens === undefined
      ? {}
      : await readTokenizerJson(files.specialTokens, specialTokensMap);
  const added =
    decoder !== undefined
      ? addedById(
          configPath,
          'added_tokens_decoder',
          Object.entries(decoder).map(([id, t]) => [Number(id), addedTokenOf(t)]),
        )
      : new Map([
          ...(await readAddedTokens(files.addedTokens)),
          ...addedById(
            files.tokenizerJson ?? '',
            'added_tokens',
            fastAdded.map((t) => [t.id, addedTokenOf(t)]),
          ),
        ]);
  const flagged = new Map([...added.values()].map((token) => [token.content, token]));
  const resolve = (value: string | z.infer<typeof addedTokenObject>): AddedToken => {
    const token = addedTokenOf(value);
    return flagged.get(token.content) ?? token;
  };
  const tokens: Partial<Record<SpecialKey, AddedToken>> = {};
  for (const key of specialKeys) {
    const value = key in mapped ? mapped[key] : config[key];
    // Flags of an added token count for a special token that a file names, not for one of CLIPTokenizer's own.
    if (value !== undefined && value !== null) tokens[key] = resolve(value);
    else if (value === undefined && clipDefaults[key] !== undefined) tokens[key] = addedTokenOf(clipDefaults[key]);
  }
  return {
    modelMaxLength: config.model_max_length ?? config.max_len ?? undefined,
    special: tokens,
    additional: [...(config.additional_special_tokens ?? []), ...(mapped.additional_special_tokens ?? [])].map(resolve),
    added,
    splitSpecialTokens: config.split_special_tokens ?? false,
    cleanUpSpaces: config.clean_up_tokenization_spaces ?? true,
    path: configPath,
    pathOf: (key) => (key in mapped ? (files.specialTokens ?? configPath) : configPath),
  };
}

async function readAddedTokens(path: string | undefined): Promise<ReadonlyMap<number, AddedToken>> {
  if (path === undefined) return new Map();
  const ids = await readTokenizerJson(path, addedTokensFile);
  return addedById(
    path,
    '',
    Object.entries(ids).map(([content, id]) => [id, addedTokenOf(content)]),
  );
}

/** Checks ids of added tokens: whole numbers in range; one token an id, one id a token. */
function addedById(path: string, key: string, entries: readonly (readonly [number, AddedToken])[]) {
  const contents = new Map<string, number>();
  const byId = new Map<number, AddedToken>();
  for (const [id, token] of entries) {
    const at = [key, JSON.stringify(token.content)].filter((part) => part !== '').join('.');
    if (!Number.isInteger(id) || id < 0 || id >= maxVocabulary) {
      throw tokenizerInvalid(path, at, `has the id ${id}, expected a whole number from 0 to ${maxVocabulary - 1}`);
    }
    if (byId.has(id)) throw tokenizerInvalid(path, at, `has the id ${id} of ${JSON.stringify(byId.get(id)?.content)}`);
    const other = contents.get(token.content);
    if (other !== undefined) throw tokenizerInvalid(path, at, `has two ids, ${other} and ${id}`);
    contents.set(token.content, id);
    byId.set(id, token);
  }
  return byId;
}
