import * as tokenizers from '@huggingface/tokenizers';
import { toByteAlphabet } from './byte-alphabet.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Splits one word into tokens: its bytes, joined by merges in order of rank; the last one ends in `</w>`. */
export type BytePairMerger = (word: string) => readonly string[];

/** The part of the library used here. Its own declarations import files without extensions, which NodeNext leaves out. */
interface TokenizersLibrary {
  readonly BPE: new (config: BpeConfig) => { bpe(word: string): readonly string[] };
}

interface BpeConfig {
  readonly type: 'BPE';
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges: readonly (readonly [string, string])[];
  readonly end_of_word_suffix: string;
  readonly ignore_merges: boolean;
}

/** The reference keeps these two out of byte-pair encoding by name, whatever the special tokens are. */
const unmerged: ReadonlySet<string> = new Set(['<|startoftext|>', '<|endoftext|>']);

/**
 * A merger for a vocabulary. The library's model alone is used, not its pipeline: that follows the fast tokenizers, whose
 * cleaning, pattern and special tokens differ from the slow one's. It joins with a priority queue, so a word of n bytes
 * takes n log n (the reference takes n² and more), and keeps short words it has seen in a cache of 10,000.
 */
export function bytePairMerger(vocabulary: Vocabulary): BytePairMerger {
  const { BPE } = tokenizers as unknown as TokenizersLibrary;
  const model = new BPE({
    type: 'BPE',
    vocab: Object.fromEntries(vocabulary.ids),
    merges: vocabulary.merges,
    end_of_word_suffix: '</w>',
    ignore_merges: false,
  });
  return (word) => (unmerged.has(word) ? [word] : model.bpe(toByteAlphabet(word)));
}
