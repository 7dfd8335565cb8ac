import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCampaign } from '../../cli/read-campaign.ts';
import { readClassifierFile } from '../../worker/classify/classifier-file.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { readTokenizerText } from '../../shared/model/tokenizer/tokenizer-text.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { readJsonFile } from '../../shared/checkpoint/json-file.ts';
import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { securityOf } from '../../shared/fleet/security.ts';
import { keyText } from '../../shared/manifest/key-file.ts';

let folder: string;
const hostile = ['fifo', 'device', 'folder', 'dangling', 'pointer', 'latin1', 'bom', 'endless'] as const;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-text-'));
  const at = (name: string) => join(folder, name);
  if (process.platform !== 'win32') execFileSync('mkfifo', [at('fifo')]);
  await symlink('/dev/zero', at('device'));
  await mkdir(at('folder'));
  await symlink('../blobs/missing', at('dangling'));
  await writeFile(at('pointer'), 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n');
  await writeFile(at('latin1'), Buffer.from('{"a": 1,\n"b": "caf\u00e9"}', 'latin1'));
  await writeFile(at('bom'), '\ufeff{}');
  await symlink('/dev/full', at('endless')); // another device, which never ends either
});
afterAll(() => rm(folder, { recursive: true }));

/** Every way in which a text of somebody else's is opened. */
const readers: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  config: readJsonFile,
  tokenizer: readTokenizerText,
  classifier: readClassifierFile,
  campaign: readCampaign,
  'list of keys': (path) => keyText('list', path, 4096, 'public'),
};
const reasons: Readonly<Record<(typeof hostile)[number], RegExp>> = {
  fifo: /not a regular file/,
  device: /not a regular file/,
  folder: /not a regular file/,
  dangling: /a link to \.\.\/blobs\/missing, which is not there: a download that was not finished/,
  pointer: /Git LFS pointer/,
  latin1: /line 2 is not UTF-8/,
  bom: /byte order mark/,
  endless: /not a regular file/,
};

describe.skipIf(process.platform === 'win32').each(Object.entries(readers))('a %s', (name, read) => {
  it.each(hostile)('that is a %s is refused at once, by its cause and path', async (kind) => {
    const path = join(folder, kind);
    // YAML may begin with a byte order mark.
    if (name === 'campaign' && kind === 'bom') {
      expect(await read(path)).toBe('{}');
      return;
    }
    const error: unknown = await read(path).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(LetheError);
    const { why, where, isInput } = error as LetheError;
    expect({ why, where, isInput }).toEqual({
      why: expect.stringMatching(reasons[kind]) as string,
      where: expect.stringContaining(path) as string,
      isInput: true,
    });
  });
});

/** A checkpoint of files that can be read, but for its vocabulary. */
function withVocabulary(vocab: string): Checkpoint {
  const configPath = join(folder, 'bom');
  const part = { configPath, weights: { files: [] } };
  const tokenizer = { directory: folder, vocab };
  const paths = { modelIndexPath: configPath, schedulerConfigPath: configPath };
  return { ...paths, unet: part, textEncoder: part, vae: part, tokenizer } as unknown as Checkpoint;
}

/** Bytes that are handed on as they are: what is in them is judged elsewhere. */
const bytesOf: typeof readers = {
  checkpoint: (path) => checkpointId(withVocabulary(path)),
  'PEM file': (path) =>
    securityOf({ insecure: false, 'tls-authority': path, 'tls-certificate': path, 'tls-key': path }),
};

describe.skipIf(process.platform === 'win32').each(Object.entries(bytesOf))('a %s', (_, read) => {
  it.each(['fifo', 'device', 'folder', 'dangling', 'endless'] as const)(
    'of which a file is a %s is refused at once, by its cause and path',
    async (kind) => {
      const path = join(folder, kind);
      await expect(read(path)).rejects.toMatchObject({
        where: path,
        why: expect.stringMatching(reasons[kind]) as string,
        isInput: true,
      });
    },
  );
});

it('refuses a file above its limit before it reads it', async () => {
  const path = join(folder, 'large');
  execFileSync('truncate', ['-s', '100M', path]);
  await expect(readCampaign(path)).rejects.toMatchObject({ why: expect.stringContaining('at most') as string });
});
