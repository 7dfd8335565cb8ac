import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClipTokenizer, loadClipTokenizer } from './clip-tokenizer.ts';
import { tokenizerFolder, withClipVocabulary } from './fixture/tokenizer-folder.ts';
import { textualInversions } from './textual-inversion.ts';

describe('textualInversions', () => {
  it('finds the vectors of each concept, without a gap, and leaves out a concept of one', () => {
    const added = ['<zog>', '<zog>_1', '<zog>_2', '<one>', '<gap>', '<gap>_2', '<zog>_4'];
    expect([...textualInversions(added)]).toEqual([['<zog>', '<zog> <zog>_1 <zog>_2']]);
  });
});

describe('a prompt with a textual inversion of several vectors', () => {
  let tokenizer: ClipTokenizer;
  let folder: string;
  const first = 49_408;
  beforeAll(async () => {
    const added = Object.fromEntries(
      ['<zog>', '<zog>_1', '<zog>_2'].map((content, i) => [
        String(first + i),
        { content, lstrip: false, rstrip: false, single_word: false, normalized: true, special: false },
      ]),
    );
    const files = await tokenizerFolder({ 'tokenizer_config.json': { added_tokens_decoder: added } });
    folder = files.directory;
    tokenizer = await loadClipTokenizer(withClipVocabulary(files));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const ids = (text: string): readonly number[] => {
    const { ids: all, length } = tokenizer.encode(text);
    return [...all.slice(1, length - 1)];
  };
  const zog = [first, first + 1, first + 2];

  // Checked against maybe_convert_prompt of diffusers 0.29.2 and CLIPTokenizer of transformers 4.44.2.
  it('is expanded to all of them, wherever the name stands', () => {
    expect(ids('a <zog>')).toEqual([...ids('a'), ...zog]);
    expect(ids('<zog><zog>, a cat')).toEqual([...zog, ...zog, ...ids(', a cat')]);
  });

  it('is replaced as text, inside the name of another vector too', () => {
    expect(ids('<zog> and <zog>_1')).toEqual([...zog, ...ids('and'), ...zog, ...ids('_1')]);
  });

  it('stays as it is where a later vector alone is named, and in another letter case', () => {
    expect(ids('<zog>_1')).toEqual([first + 1]);
    expect(ids('<ZOG>')).toEqual(ids('< zog >'));
  });
});
