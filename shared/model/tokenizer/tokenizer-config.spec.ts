import { rm } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { loadClipTokenizer } from './clip-tokenizer.ts';
import { tokenizerFolder, type Contents } from './fixture/tokenizer-folder.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

const base = {
  'vocab.json': { a: 0, 'a</w>': 1, '!': 2, '<|startoftext|>': 3, '<|endoftext|>': 4 },
  'merges.txt': '#version: 0.2\n',
};

async function load(contents: Contents) {
  const files = await tokenizerFolder({ ...base, ...contents });
  folders.push(files.directory);
  return loadClipTokenizer(files);
}

const config = (value: unknown) => ({ 'tokenizer_config.json': value });

describe('readTokenizerConfig', () => {
  it.each<[string, Contents, number]>([
    ['end of text, where no file says', {}, 4],
    ['a string', config({ pad_token: '!' }), 2],
    ['an object', config({ pad_token: { content: '!' } }), 2],
    [
      'special_tokens_map.json over it',
      { ...config({ pad_token: 'a' }), 'special_tokens_map.json': { pad_token: '!' } },
      2,
    ],
    [
      'no special_tokens_map.json where there is an added_tokens_decoder',
      {
        ...config({ pad_token: '!', added_tokens_decoder: {} }),
        'special_tokens_map.json': { pad_token: '<|endoftext|>' },
      },
      2,
    ],
    ['an id of its own', config({ pad_token: '<pad>', added_tokens_decoder: { 9: { content: '<pad>' } } }), 9],
    ['an id of added_tokens.json', { ...config({ pad_token: '<pad>' }), 'added_tokens.json': { '<pad>': 7 } }, 7],
  ])('pads with %s', async (_, contents, pad) => {
    const tokenizer = await load(contents);
    expect([...tokenizer.encode('a').ids.subarray(0, 5)]).toEqual([3, 1, 4, pad, pad]);
    expect(tokenizer.vocabularySize).toBe(Math.max(5, pad + 1));
  });

  it.each<[string, Contents, string, string]>([
    ['a list', config([]), 'tokenizer_config.json', 'expected object'],
    ['a token that is a number', config({ bos_token: 3 }), 'tokenizer_config.json: bos_token', ''],
    [
      'a token that is nowhere',
      config({ pad_token: '<pad>' }),
      'tokenizer_config.json: pad_token',
      'is not in the voc',
    ],
    ['a token set to none', config({ eos_token: null }), 'tokenizer_config.json: eos_token', 'is not set'],
    [
      'one the map replaces',
      { 'special_tokens_map.json': { unk_token: '<unk>' } },
      'special_tokens_map.json: unk_token',
      '"<unk>" is not in the vocabulary',
    ],
    ['no start', { 'vocab.json': { a: 0, '<|endoftext|>': 1 } }, ': bos_token', 'is not in the vocabulary'],
    [
      'a length of text',
      config({ model_max_length: '77' }),
      'tokenizer_config.json: model_max_length',
      'expected number',
    ],
    ['a length of 1', config({ model_max_length: 1 }), 'tokenizer_config.json: model_max_length', 'is 1,'],
    ['a length below 0', config({ model_max_length: -77 }), 'tokenizer_config.json: model_max_length', 'is -77,'],
    ['a broken length', config({ model_max_length: 7.5 }), 'tokenizer_config.json: model_max_length', 'is 7.5,'],
    [
      'an id that is no number',
      config({ added_tokens_decoder: { x: { content: '<x>' } } }),
      'tokenizer_config.json: added_tokens_decoder."<x>"',
      'has the id NaN',
    ],
    [
      'an absurd id',
      config({ added_tokens_decoder: { 99999999999: { content: '<x>' } } }),
      'tokenizer_config.json: added_tokens_decoder."<x>"',
      'has the id 99999999999',
    ],
    [
      'a token with two ids',
      config({ added_tokens_decoder: { 8: { content: '<x>' }, 9: { content: '<x>' } } }),
      'tokenizer_config.json: added_tokens_decoder."<x>"',
      'has two ids, 8 and 9',
    ],
    [
      'an id for two',
      { 'added_tokens.json': { '<x>': 8, '<y>': 8 } },
      'added_tokens.json: "<y>"',
      'has the id 8 of "<x>"',
    ],
    [
      'an id for a named token and another',
      config({ pad_token: '!', added_tokens_decoder: { 2: { content: '<pad>' } } }),
      'tokenizer_config.json',
      'the special tokens "<pad>" and "!" both come to the id 2',
    ],
    [
      'the next id where it is taken',
      { ...config({ cls_token: '<x>' }), 'added_tokens.json': { a: 5 } },
      'tokenizer_config.json',
      'the special tokens "a" and "<x>" both come to the id 5',
    ],
    ['an id that is text', { 'added_tokens.json': { '<x>': '8' } }, 'added_tokens.json: <x>', 'expected number'],
  ])('refuses %s, naming file and key', async (_, contents, where, why) => {
    await expect(load(contents)).rejects.toMatchObject({
      code: 'tokenizer-invalid',
      where: expect.stringContaining(where) as string,
      why: expect.stringContaining(why) as string,
    });
  });

  it.each(['padding_side', 'truncation_side'])('refuses %s left', async (key) => {
    await expect(load(config({ [key]: 'left' }))).rejects.toMatchObject({
      code: 'config-unsupported',
      where: expect.stringContaining(`tokenizer_config.json: ${key}`) as string,
    });
  });
});
