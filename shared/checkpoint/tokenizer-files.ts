import { checkpointLayout, contents, listDirectory, optionalFile } from './checkpoint-layout.ts';

/**
 * The files of one tokenizer, as absolute paths. `vocab` with `merges`, or `tokenizerJson` alone, hold the vocabulary;
 * the others are optional. Nothing but their presence is checked.
 */
export interface TokenizerFiles {
  readonly directory: string;
  /** vocab.json */
  readonly vocab?: string | undefined;
  /** merges.txt */
  readonly merges?: string | undefined;
  /** tokenizer.json */
  readonly tokenizerJson?: string | undefined;
  /** tokenizer_config.json */
  readonly config?: string | undefined;
  /** special_tokens_map.json */
  readonly specialTokens?: string | undefined;
  /** added_tokens.json, written by transformers before 4.34. */
  readonly addedTokens?: string | undefined;
}

/** Finds the files of the tokenizer in `directory`. Throws 'checkpoint-layout' if it has no vocabulary. */
export async function findTokenizerFiles(directory: string): Promise<TokenizerFiles> {
  const listing = await listDirectory(directory, 'the tokenizer');
  const files: TokenizerFiles = {
    directory,
    vocab: optionalFile(listing, 'vocab.json'),
    merges: optionalFile(listing, 'merges.txt'),
    tokenizerJson: optionalFile(listing, 'tokenizer.json'),
    config: optionalFile(listing, 'tokenizer_config.json'),
    specialTokens: optionalFile(listing, 'special_tokens_map.json'),
    addedTokens: optionalFile(listing, 'added_tokens.json'),
  };
  const whole = files.vocab !== undefined && files.merges !== undefined;
  if (!whole && files.tokenizerJson === undefined) {
    const why = `there is neither vocab.json with merges.txt nor tokenizer.json; ${contents(listing)}`;
    throw checkpointLayout(directory, why);
  }
  return files;
}
