import { tokenizerInvalid } from './tokenizer-text.ts';

/** Two symbols that byte-pair encoding joins. */
export type Merge = readonly [string, string];

/** A merge and where it stands, for messages. */
export interface PlacedMerge {
  readonly merge: Merge;
  /** `line 7` or `model.merges.7` */
  readonly where: string;
}

/** The slow tokenizer reads this many merges and ignores what follows: 49152 - 256 - 2, CLIP's number. */
const clipMerges = 48894;
/** Above the vocabulary limit, since each merge makes a token. */
const maxMerges = 2 ** 20;

/**
 * The merges of merges.txt: one pair a line; the first line is a header whatever it says, lines past CLIP's number of
 * merges are not read (tokenization_clip.py does both).
 *
 * Throws 'tokenizer-invalid' naming a line that is not two symbols.
 */
export function mergesOfText(path: string, text: string): PlacedMerge[] {
  // Blank lines before the header do not count; line numbers in messages still do.
  const blank = text.slice(0, text.length - text.trimStart().length).split('\n').length;
  const lines = text.trim().split('\n', clipMerges + 1);
  return lines.slice(1).map((line, i) => placed(path, `line ${i + 1 + blank}`, line));
}

/** The merges of tokenizer.json's model: `"a b"` or, since tokenizers 0.20, `["a", "b"]`. */
export function mergesOfJson(path: string, merges: readonly (string | Merge)[]): PlacedMerge[] {
  if (merges.length > maxMerges) {
    throw tokenizerInvalid(path, 'model.merges', `has ${merges.length} merges, more than ${maxMerges}`);
  }
  return merges.map((merge, i) => {
    const where = `model.merges.${i}`;
    return typeof merge === 'string' ? placed(path, where, merge) : { merge, where };
  });
}

function placed(path: string, where: string, line: string): PlacedMerge {
  const [first, second, ...rest] = line.trim().split(/\s+/u);
  if (first === undefined || second === undefined || rest.length > 0) {
    throw tokenizerInvalid(path, where, `is ${JSON.stringify(line.slice(0, 80))}, expected two symbols`);
  }
  return { merge: [first, second], where };
}

/**
 * Checks merges against the vocabulary.
 *
 * Throws 'tokenizer-invalid' for a merge with a symbol, or a result, that has no id; and for one that stands before a
 * merge that makes one of its symbols. Training cannot write such an order, and with it the answer depends on the
 * algorithm: the slow tokenizer joins every occurrence of a pair before it looks for the next pair, queue-based ones (as
 * ours) go on within a word as soon as a better pair appears.
 */
export function checkMerges(path: string, merges: readonly PlacedMerge[], ids: ReadonlyMap<string, number>): void {
  const lastMade = new Map<string, number>();
  // A pair listed twice has its last rank, in Python's dict as in a Map.
  const rank = new Map(merges.map(({ merge }, i) => [merge.join(' '), i]));
  for (const i of rank.values()) {
    const made = merges[i]?.merge.join('') ?? '';
    lastMade.set(made, Math.max(i, lastMade.get(made) ?? 0));
  }
  for (const [i, { merge, where }] of merges.entries()) {
    const unknown = [...merge, merge.join('')].find((symbol) => !ids.has(symbol));
    if (unknown !== undefined) {
      throw tokenizerInvalid(path, where, `needs ${JSON.stringify(unknown)}, which is not in the vocabulary`);
    }
    if (rank.get(merge.join(' ')) !== i) continue;
    const later = merge.find((symbol) => (lastMade.get(symbol) ?? -1) >= i);
    if (later !== undefined) {
      throw tokenizerInvalid(path, where, `uses ${JSON.stringify(later)} before the merge that makes it`);
    }
  }
}
