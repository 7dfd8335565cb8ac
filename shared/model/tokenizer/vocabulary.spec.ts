import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fastTokenizer, tokenizerFolder, type Contents } from './fixture/tokenizer-folder.ts';
import { readVocabulary } from './vocabulary.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function folder(contents: Contents) {
  const files = await tokenizerFolder(contents);
  folders.push(files.directory);
  return files;
}

const vocab = { a: 0, b: 1, 'b</w>': 2, ab: 3, 'ab</w>': 4, 'abab</w>': 5 };
const merges = '#version: 0.2\na b\na b</w>\nab ab</w>\n';
const good = { 'vocab.json': vocab, 'merges.txt': merges };

/** tokenizer.json of the fixture with parts of its model replaced. */
async function fastWith(model: Record<string, unknown>): Promise<Contents> {
  const fast = await fastTokenizer();
  return { 'tokenizer.json': { ...fast, model: { ...fast.model, ...model } } };
}

async function refusal(contents: Contents, code = 'tokenizer-invalid') {
  const files = await folder(contents);
  const error: unknown = await readVocabulary(files).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toMatchObject({ name: 'LetheError', code });
  const { where, why } = error as { where: string; why: string };
  return `${where.replace(`${files.directory}/`, '')}: ${why}`;
}

describe('readVocabulary', () => {
  it('reads ids and merges in order', async () => {
    const { ids, merges: ranked } = await readVocabulary(await folder(good));
    expect(ids.get('ab</w>')).toBe(4);
    expect(ranked).toEqual([
      ['a', 'b'],
      ['a', 'b</w>'],
      ['ab', 'ab</w>'],
    ]);
  });

  it("reads CLIP's number of merges and ignores the lines after them", async () => {
    const lines = Array.from({ length: 48894 }, () => 'a b').join('\n');
    const { merges: ranked } = await readVocabulary(
      await folder({ ...good, 'merges.txt': `header\n${lines}\nx y z\n` }),
    );
    expect(ranked).toHaveLength(48894);
  });

  it.each<[string, Contents, string]>([
    ['merges.txt missing', { 'vocab.json': vocab }, 'has no merges.txt and no tokenizer.json'],
    ['vocab.json missing', { 'merges.txt': merges }, 'has no vocab.json and no tokenizer.json'],
    ['nothing', {}, 'has no vocab.json, merges.txt and no tokenizer.json'],
    ['not JSON', { ...good, 'vocab.json': '{"a": 0,' }, 'vocab.json: is not JSON'],
    ['a list', { ...good, 'vocab.json': ['a'] }, 'vocab.json: is not an object of ids by token'],
    ['no tokens', { ...good, 'vocab.json': {} }, 'vocab.json: has 0 tokens'],
    ['an id that is text', { ...good, 'vocab.json': { ...vocab, a: '0' } }, 'vocab.json: ["a"]: is "0"'],
    ['a fraction', { ...good, 'vocab.json': { ...vocab, a: 0.5 } }, 'vocab.json: ["a"]: is 0.5'],
    ['an id below 0', { ...good, 'vocab.json': { ...vocab, a: -1 } }, 'vocab.json: ["a"]: is -1'],
    ['an absurd id', { ...good, 'vocab.json': { ...vocab, a: 2 ** 31 } }, 'vocab.json: ["a"]: is 2147483648'],
    ['an id twice', { ...good, 'vocab.json': { ...vocab, a: 5 } }, 'vocab.json: ["abab</w>"]: has the id 5 of "a"'],
    ['one symbol', { ...good, 'merges.txt': '#\na b\nab\n' }, 'merges.txt: line 3: is "ab", expected two symbols'],
    ['three symbols', { ...good, 'merges.txt': '\n#\na b a\n' }, 'merges.txt: line 3: is "a b a"'],
    ['an unknown symbol', { ...good, 'merges.txt': '#\na b\na c\n' }, 'merges.txt: line 3: needs "c"'],
    ['an unknown result', { ...good, 'merges.txt': '#\nb a\n' }, 'merges.txt: line 2: needs "ba"'],
    [
      'a merge before its symbol',
      { ...good, 'merges.txt': '#\nab ab</w>\na b\na b</w>\n' },
      'merges.txt: line 2: uses "ab" before the merge that makes it',
    ],
  ])('refuses %s', async (_, contents, message) => {
    expect(await refusal(contents)).toContain(message);
  });

  it('refuses bytes that are not UTF-8, a folder, a file of absurd size and one that is not there, by name', async () => {
    const files = await folder(good);
    const path = join(files.directory, 'other');
    await mkdir(path);
    await expect(readVocabulary({ ...files, vocab: path })).rejects.toMatchObject({
      where: path,
      why: 'it is not a regular file',
    });
    await writeFile(files.merges ?? '', Uint8Array.of(0x23, 0x0a, 0x61, 0xff));
    await expect(readVocabulary(files)).rejects.toMatchObject({
      where: `${files.merges}:2`,
      why: expect.stringContaining('line 2 is not UTF-8') as string,
    });
    await truncate(files.merges ?? '', 33 * 2 ** 20);
    await expect(readVocabulary(files)).rejects.toMatchObject({
      where: files.merges,
      why: 'it has 34603008 bytes; at most 33554432 are read',
    });
    await expect(readVocabulary({ ...files, vocab: `${path}/none` })).rejects.toMatchObject({
      code: 'tokenizer-invalid',
      where: `${path}/none`,
    });
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    ['another model', { type: 'WordPiece' }, 'config-unsupported', 'model.type: is "WordPiece"'],
    ['another suffix', { end_of_word_suffix: '' }, 'config-unsupported', 'model.end_of_word_suffix: is ""'],
    ['a prefix', { continuing_subword_prefix: '##' }, 'config-unsupported', 'model.continuing_subword_prefix: is "##"'],
    ['byte fallback', { byte_fallback: true }, 'config-unsupported', 'model.byte_fallback: is true'],
    ['words before merges', { ignore_merges: true }, 'config-unsupported', 'model.ignore_merges: is true'],
    ['merges that are no list', { merges: 'a b' }, 'tokenizer-invalid', 'model.merges: '],
    ['a merge that is no pair', { merges: [['a', 'b', 'c']] }, 'tokenizer-invalid', 'model.merges.0: '],
    ['a merge it lacks', { merges: ['猫 猫'] }, 'tokenizer-invalid', 'model.merges.0: needs "猫"'],
    ['ids that are text', { vocab: { a: '1' }, merges: [] }, 'tokenizer-invalid', 'model.vocab["a"]: is "1"'],
    ['no vocabulary', { vocab: null }, 'tokenizer-invalid', 'model.vocab: is not an object'],
  ])('refuses a tokenizer.json with %s', async (_, model, code, message) => {
    expect(await refusal(await fastWith(model), code)).toContain(`tokenizer.json: ${message}`);
  });
});
