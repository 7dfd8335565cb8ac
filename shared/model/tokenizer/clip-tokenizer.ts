import type { TokenizerFiles } from '../../checkpoint/tokenizer-files.ts';
import { LetheError } from '../../error/lethe-error.ts';
import { addedTokenSplitter, type AddedTokenSplitter } from './added-token.ts';
import { bytePairMerger, type BytePairMerger } from './byte-pair-merger.ts';
import { cleanText, wordsOf } from './clean-text.ts';
import { decodeTokens } from './decode-tokens.ts';
import { specialTokens, type SpecialTokens } from './special-tokens.ts';
import { readTokenizerConfig, type TokenizerConfig } from './tokenizer-config.ts';
import { textualInversions } from './textual-inversion.ts';
import { tokenizerInvalid } from './tokenizer-text.ts';
import { readVocabulary, type Vocabulary } from './vocabulary.ts';

/** A prompt as the text encoder takes it. */
export interface TokenizedPrompt {
  /** [maxLength]: bos, tokens, eos, then padding. */
  readonly ids: Int32Array;
  /** How many of them are real: bos and eos count, padding does not. */
  readonly length: number;
  /** The text that did not fit, decoded as diffusers' encode_prompt reports it; undefined where all did. */
  readonly truncated: string | undefined;
}

/** Turns prompts into ids. Holds no state but a bounded cache of words. */
export interface ClipTokenizer {
  /** The length of every `ids`. */
  readonly maxLength: number;
  /** Every id is below this; a text encoder with fewer embeddings does not fit. */
  readonly vocabularySize: number;
  /** Throws 'usage' for a prompt of more than 1 MiB of UTF-8 or 1,024 marks on one character; others take n log n. */
  encode(text: string): TokenizedPrompt;
}

/** CLIP's context: what its text encoders have positions for. */
const clipPositions = 77;

/** A word of 1 MiB takes some 10 s and 0.5 GB to merge; a longer prompt is a mistake, and could end the process. */
const maxBytes = 2 ** 20;

/**
 * Loads a CLIP tokenizer that gives the ids of transformers 4.44.2's slow CLIPTokenizer (Python 3.11, no ftfy) called with
 * padding='max_length' and truncation=True, with maximum length `model_max_length` but never more than `positions`: the
 * text encoder's max_position_embeddings. Files without a model_max_length, or with transformers' 1e30 for "none", take
 * `positions`. Merging is @huggingface/tokenizers'; the rules before it are the slow tokenizer's.
 *
 * Throws 'tokenizer-invalid' naming file and key or line; 'config-unsupported' for a tokenizer of another kind.
 */
export async function loadClipTokenizer(files: TokenizerFiles, positions = clipPositions): Promise<ClipTokenizer> {
  const vocabulary = await readVocabulary(files);
  const config = await readTokenizerConfig(files, vocabulary.addedTokens);
  const special = specialTokens(config, vocabulary);
  const modelMaxLength = config.modelMaxLength ?? positions;
  if (modelMaxLength < positions && (!Number.isInteger(modelMaxLength) || modelMaxLength < 2)) {
    const why = `is ${modelMaxLength}, expected a whole number with room for the start and end of text`;
    throw tokenizerInvalid(files.config ?? files.directory, 'model_max_length', why);
  }
  return new SlowRulesTokenizer(vocabulary, config, special, Math.min(modelMaxLength, positions));
}

class SlowRulesTokenizer implements ClipTokenizer {
  readonly maxLength: number;
  readonly vocabularySize: number;
  readonly #special: SpecialTokens;
  readonly #cleanUpSpaces: boolean;
  readonly #split: AddedTokenSplitter;
  readonly #vectors: ReadonlyMap<string, string>;
  readonly #merge: BytePairMerger;
  /** Ids by token and tokens by id, added tokens first. */
  readonly #ids: Map<string, number>;
  readonly #tokens: ReadonlyMap<number, string>;

  constructor(vocabulary: Vocabulary, config: TokenizerConfig, special: SpecialTokens, maxLength: number) {
    this.maxLength = maxLength;
    this.#special = special;
    this.#cleanUpSpaces = config.cleanUpSpaces;
    this.#split = addedTokenSplitter(config.splitSpecialTokens ? [] : [...special.added.keys()]);
    this.#vectors = textualInversions([...special.added.keys()].map(({ content }) => content));
    this.#merge = bytePairMerger(vocabulary);
    this.#ids = new Map(vocabulary.ids);
    const tokens = new Map([...vocabulary.ids].map(([token, id]) => [id, token]));
    for (const [{ content }, id] of special.added) {
      this.#ids.set(content, id);
      tokens.set(id, content);
    }
    this.#tokens = tokens;
    // Not Math.max(...ids): a million arguments overflow the stack.
    this.vocabularySize = 1 + [...this.#ids.values()].reduce((most, id) => Math.max(most, id), 0);
  }

  encode(text: string): TokenizedPrompt {
    const bytes = Buffer.byteLength(text);
    if (bytes > maxBytes) {
      throw new LetheError('usage', {
        what: 'cannot tokenize the prompt',
        where: `${text.slice(0, 40)}…`,
        why: `it has ${bytes} bytes, more than ${maxBytes}`,
        next: `shorten it: at most ${this.maxLength} tokens are used`,
      });
    }
    const all = this.#idsOf(text);
    const kept = all.slice(0, this.maxLength - 2);
    const { bos, eos, pad } = this.#special;
    const ids = new Int32Array(this.maxLength).fill(pad);
    ids.set([bos, ...kept, eos]);
    return { ids, length: kept.length + 2, truncated: this.#decode(all.slice(kept.length)) };
  }

  #idsOf(text: string): number[] {
    const ids: number[] = [];
    for (const section of this.#split(this.#withAllVectors(text))) {
      const tokens = section.added ? [section.text] : wordsOf(cleanText(section.text)).flatMap(this.#merge);
      for (const token of tokens) ids.push(this.#ids.get(token) ?? this.#special.unknown);
    }
    return ids;
  }

  /** The prompt as diffusers' maybe_convert_prompt gives it to the tokenizer (loaders/textual_inversion.py, 0.29.2). */
  #withAllVectors(text: string): string {
    if (this.#vectors.size === 0) return text;
    const named = new Set(this.#split(text).flatMap(({ added, text: token }) => (added ? [token] : [])));
    // One after another, each wherever its text stands, inside a longer token too: as str.replace does there.
    return [...named].reduce((prompt, token) => {
      const all = this.#vectors.get(token);
      return all === undefined ? prompt : prompt.replaceAll(token, () => all);
    }, text);
  }

  #decode(cut: readonly number[]): string | undefined {
    if (cut.length === 0) return undefined;
    const tokens = cut.map((id) => this.#tokens.get(id) ?? '');
    return decodeTokens(tokens, this.#special.apart, this.#cleanUpSpaces);
  }
}
