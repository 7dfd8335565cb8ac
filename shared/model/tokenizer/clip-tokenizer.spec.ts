import { readFile, rm } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadClipTokenizer, type ClipTokenizer } from './clip-tokenizer.ts';
import {
  clipVocabulary,
  fastTokenizer,
  slowTokenizerCases,
  tokenizerFolder,
  withClipVocabulary,
  type Contents,
} from './fixture/tokenizer-folder.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function load(contents: Contents, positions?: number): Promise<ClipTokenizer> {
  const files = await tokenizerFolder(contents);
  folders.push(files.directory);
  return loadClipTokenizer(withClipVocabulary(files), positions);
}

interface Golden {
  readonly text: string;
  readonly ids: readonly number[];
}

/** 'tokenizer.input_ids' of the golden vectors, I64 [strings, 77], with its strings. */
async function goldens(): Promise<readonly Golden[]> {
  const base = 'integration/golden/vectors/primitives/primitives';
  const strings = (JSON.parse(await readFile(`${base}.json`, 'utf8')) as Record<string, string[]>)[
    'tokenizer.strings'
  ]!;
  const file = await readFile(`${base}.safetensors`);
  const header = Number(file.readBigUInt64LE(0));
  const entries = JSON.parse(file.toString('utf8', 8, 8 + header)) as Record<string, { data_offsets: number[] }>;
  const start = 8 + header + entries['tokenizer.input_ids']!.data_offsets[0]!;
  return strings.map((text, i) => {
    const at = (j: number) => Number(file.readBigInt64LE(start + 8 * (77 * i + j)));
    return { text, ids: Array.from({ length: 77 }, (_, j) => at(j)) };
  });
}

/** tokenizer.json with CLIP's vocabulary, in the shape transformers wrote the small one. */
async function clipFast(merge: (line: string) => unknown): Promise<Contents> {
  const fast = await fastTokenizer();
  const { vocab, merges } = await clipVocabulary();
  const added = fast.added_tokens.map((token) => ({ ...token, id: vocab[token.content] }));
  const model = { ...fast.model, vocab, merges: merges.map(merge) };
  return { 'tokenizer.json': { ...fast, added_tokens: added, model } };
}

describe('ClipTokenizer', () => {
  let clip: ClipTokenizer;
  beforeAll(async () => {
    clip = await load({});
  });

  describe('gives the ids of the golden vectors', () => {
    it.each([
      ['from vocab.json and merges.txt', () => Promise.resolve({})],
      ['from tokenizer.json', () => clipFast((line) => line)],
      ['from tokenizer.json with merges as pairs', () => clipFast((line) => line.split(' '))],
    ])('%s', async (_, contents) => {
      const tokenizer = await load(await contents());
      const expected = await goldens();
      expect(expected).toHaveLength(23);
      expect(tokenizer.vocabularySize).toBe(49408);
      for (const { text, ids } of expected) expect([...tokenizer.encode(text).ids], text).toEqual(ids);
    });
  });

  it('gives ids, lengths and cut texts of the slow tokenizer with every kind of file beside the vocabulary', async () => {
    const sets = await slowTokenizerCases();
    expect(sets.length).toBeGreaterThan(8);
    for (const { name, files, maxLength, pad, cases } of sets) {
      const tokenizer = await load(files);
      expect(tokenizer.maxLength, name).toBe(maxLength);
      for (const { text, ids, truncated } of cases) {
        const prompt = tokenizer.encode(text);
        const at = `${name}: ${JSON.stringify(text)}`;
        expect([...prompt.ids.subarray(0, prompt.length)], at).toEqual(ids);
        expect([...prompt.ids.subarray(prompt.length)], at).toEqual(Array(maxLength - ids.length).fill(pad));
        expect(prompt.truncated ?? null, at).toBe(truncated);
      }
    }
  });

  it('fills maxLength with ids of the vocabulary between bos and eos, for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme', maxLength: 400 })), (text) => {
        const { ids, length, truncated } = clip.encode(text);
        expect(ids).toHaveLength(77);
        expect(ids[0]).toBe(49406);
        expect(ids.subarray(length - 1).every((id) => id === 49407)).toBe(true);
        expect(ids.every((id) => id >= 0 && id < clip.vocabularySize)).toBe(true);
        expect(truncated === undefined || length === 77).toBe(true);
      }),
    );
  });

  it('gives the same ids for a text in any case and any composition', () => {
    const unit = fc.constantFrom('a', 'B', 'É', 'é', 'i', 'I', 'σ', 'Σ', 'ß', '1', ' ', '.', "'", 's', 'T', '猫');
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        const { ids } = clip.encode(text);
        expect(clip.encode(text.toLowerCase()).ids).toEqual(ids);
        expect(clip.encode(text.normalize('NFD')).ids).toEqual(ids);
      }),
    );
  });

  it('ends on a prompt of one word of a megabyte, and refuses a longer one', () => {
    const { length, truncated } = clip.encode('ab'.repeat(2 ** 19));
    expect(length).toBe(77);
    expect(truncated!.length).toBeGreaterThan(2 ** 20 - 1000);
    expect(() => clip.encode('a'.repeat(2 ** 20 + 1))).toThrow(
      expect.objectContaining({ code: 'usage', why: 'it has 1048577 bytes, more than 1048576' }),
    );
  });

  it('takes a thousand marks on one character, and refuses more', () => {
    expect(clip.encode(`a${'\u0301\u0327'.repeat(512)}`).length).toBe(77);
    // Format characters between marks go before marks are counted.
    for (const marks of ['\u0301\u0327'.repeat(150_000), '\u0301\u200d'.repeat(1025)]) {
      expect(() => clip.encode(`a${marks}`)).toThrow(expect.objectContaining({ code: 'usage' }));
    }
  });

  it.each([
    ['no limit set', {}, 77],
    ["transformers' mark for none", { model_max_length: 1000000000000000019884624838656 }, 77],
    ['fewer than the text encoder has', { model_max_length: 24 }, 24],
    ['more than the text encoder has', { model_max_length: 512 }, 77],
    ['only the old name', { max_len: 30 }, 30],
  ])('takes the smaller of model_max_length and positions: %s', async (_, config, expected) => {
    expect((await load({ 'tokenizer_config.json': config }, 77)).maxLength).toBe(expected);
  });

  it('takes the positions of the text encoder', async () => {
    const longer = await load({ 'tokenizer_config.json': { model_max_length: 1e30 } }, 248);
    expect(longer.encode('x '.repeat(100))).toMatchObject({ length: 102, truncated: undefined });
    expect(longer.maxLength).toBe(248);
  });
});
