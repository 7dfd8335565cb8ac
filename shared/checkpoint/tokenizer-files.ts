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
