import { checkpointLayout, contents, listDirectory, optionalFile } from './checkpoint-layout.ts';

/** The files of a tokenizer folder. Nothing but their presence is checked. */
export interface TokenizerFiles {
  readonly directory: string;
  /** vocab.json and merges.txt where both are there, which is what diffusers' CLIPTokenizer reads; else tokenizer.json. */
  readonly vocabulary:
    | { readonly kind: 'vocab-and-merges'; readonly vocab: string; readonly merges: string }
    | { readonly kind: 'tokenizer-json'; readonly tokenizer: string };
  /** tokenizer_config.json */
  readonly config?: string;
  /** special_tokens_map.json */
  readonly specialTokensMap?: string;
  /** added_tokens.json, written by transformers before 4.34. */
  readonly addedTokens?: string;
}

/** Finds the files of the tokenizer in `directory`. Throws 'checkpoint-layout' if it has no vocabulary. */
export async function findTokenizerFiles(directory: string): Promise<TokenizerFiles> {
  const listing = await listDirectory(directory, 'the tokenizer');
  const vocab = optionalFile(listing, 'vocab.json');
  const merges = optionalFile(listing, 'merges.txt');
  const tokenizer = optionalFile(listing, 'tokenizer.json');
  const config = optionalFile(listing, 'tokenizer_config.json');
  const specialTokensMap = optionalFile(listing, 'special_tokens_map.json');
  const addedTokens = optionalFile(listing, 'added_tokens.json');
  let vocabulary: TokenizerFiles['vocabulary'];
  if (vocab !== undefined && merges !== undefined) vocabulary = { kind: 'vocab-and-merges', vocab, merges };
  else if (tokenizer !== undefined) vocabulary = { kind: 'tokenizer-json', tokenizer };
  else {
    const why = `there is neither vocab.json with merges.txt nor tokenizer.json; ${contents(listing)}`;
    throw checkpointLayout(directory, why);
  }
  return {
    directory,
    vocabulary,
    ...(config !== undefined && { config }),
    ...(specialTokensMap !== undefined && { specialTokensMap }),
    ...(addedTokens !== undefined && { addedTokens }),
  };
}
