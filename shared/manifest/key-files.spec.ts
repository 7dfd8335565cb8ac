import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFleetKey, readFleetKey, renewFleetKey } from './fleet-key.ts';
import { newKey, trustIn } from './manifests.spec-support.ts';
import { createSigningKey, readSigningKey } from './signing-key.ts';
import { readTrustList, trustListText } from './trust-list.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-keys-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});
const at = (name: string) => join(folder, name);
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe.each([
  ['signing key', createSigningKey, readSigningKey],
  ['fleet key', createFleetKey, readFleetKey],
] as const)('the file of a %s', (_, create, read) => {
  it('is read as it was made, and only its owner may read it', async () => {
    const made = await create(at('key'));
    expect(await modeOf(at('key'))).toBe(0o600);
    const found = await read(at('key'));
    expect(JSON.stringify(found)).toBe(JSON.stringify(made));
    expect(await readdir(folder)).toEqual(['key']);
  });

  it('is never overwritten', async () => {
    await create(at('key'));
    const before = await readFile(at('key'), 'utf8');
    await expect(create(at('key'))).rejects.toMatchObject({ code: 'key-invalid', where: at('key') });
    expect(await readFile(at('key'), 'utf8')).toBe(before);
    expect(await readdir(folder)).toEqual(['key']);
  });

  it.each([0o640, 0o604, 0o620, 0o666])('is refused with mode %o', async (mode) => {
    await create(at('key'));
    await chmod(at('key'), mode);
    const error = {
      code: 'key-invalid',
      where: at('key'),
      why: expect.stringContaining(`0${mode.toString(8)}`) as string,
    };
    await expect(read(at('key'))).rejects.toMatchObject(error);
  });

  it.each([
    ['empty', ''],
    ['not a key', 'hello'],
    ['too large', 'x'.repeat(100_000)],
    ['another kind of key', generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' })],
  ])('is refused where it is %s, and nothing of it is quoted', async (_case, content) => {
    await writeFile(at('key'), content, { mode: 0o600 });
    const error: unknown = await read(at('key')).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'key-invalid', where: at('key') });
    if (content !== '') expect(String(error)).not.toContain(String(content).slice(30, 60) || 'hello');
  });

  it('is refused where it is a folder, or not there', async () => {
    await mkdir(at('folder'), { mode: 0o700 });
    await expect(read(at('folder'))).rejects.toMatchObject({ code: 'key-invalid' });
    await expect(read(at('none'))).rejects.toMatchObject({ code: 'key-invalid', where: at('none') });
  });
});

describe('renewFleetKey', () => {
  it('seals with a new secret and keeps the others', async () => {
    const { secrets: before } = await createFleetKey(at('key'));
    const { secrets } = await renewFleetKey(at('key'));
    expect(secrets.slice(1).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect(secrets[0].id).not.toBe(before[0].id);
    expect(JSON.stringify(await readFleetKey(at('key')))).toBe(JSON.stringify({ secrets }));
    expect(await modeOf(at('key'))).toBe(0o600);
    await expect(renewFleetKey(at('none'))).rejects.toMatchObject({ code: 'key-invalid' });
  });

  it('refuses a secret more than are read, names the oldest, and leaves the file readable', async () => {
    const { secrets: made } = await createFleetKey(at('key'));
    const renewals = async (): Promise<void> => {
      for (;;) await renewFleetKey(at('key'));
    };
    await expect(renewals()).rejects.toMatchObject({
      code: 'key-invalid',
      where: at('key'),
      next: expect.stringContaining(`remove the oldest, ${made[0].id},`) as string,
    });
    const { secrets } = await readFleetKey(at('key'));
    expect(secrets).toHaveLength(64);
    expect(secrets.at(-1)?.id).toBe(made[0].id);
  });
});

describe('readTrustList', () => {
  const list = trustIn(newKey(), [newKey(), 'retired']);
  const [first] = list.keys;
  const write = (text: string) => writeFile(at('trust.json'), text, { mode: 0o644 });

  it('reads what trustListText writes', async () => {
    await write(trustListText(list));
    expect(await readTrustList(at('trust.json'))).toEqual(list);
    await write(trustListText({ keys: [] }));
    expect(await readTrustList(at('trust.json'))).toEqual({ keys: [] });
  });

  const changed = (change: object) =>
    trustListText({ keys: [{ ...first, ...change } as never, ...list.keys.slice(1)] });
  it.each([
    ['a state there is not', changed({ state: 'activ' }), '7:16 keys[0].state: found "activ"', 'did you mean active?'],
    ['a key more', changed({ stat: 'active' }), 'keys[0].stat: there is no such key', 'did you mean state?'],
    ['a key less', changed({ since: undefined }), 'keys[0].since: it is missing', ''],
    ['no time', changed({ since: 'yesterday' }), '8:16 keys[0].since', ''],
    ['a key of other bytes', changed({ key: list.keys[1]?.key }), '5:13 keys[0].id: it is not the id of this key', ''],
    ['a key that is too short', changed({ key: 'AAAA' }), 'keys[0].key: expected 32 bytes in base64', ''],
    ['a key twice', trustListText({ keys: [...list.keys, ...list.keys] }), 'keys[2].id: the key is there twice', ''],
    ['another format', trustListText(list).replace('lethe-trust-1', 'lethe-trust-2'), '2:13 format', ''],
    ['no JSON', trustListText(list).slice(0, -5), '16:', ''],
    ['YAML', 'format: lethe-trust-1\nkeys: []\n', '1:1 it is not JSON', ''],
    ['a member twice', '{"format": "lethe-trust-1", "keys": [], "keys": []}', '1:41 keys: the key is there twice', ''],
    ['nothing', '', '1:1 it is not JSON', ''],
  ])('refuses %s and says where', async (_, text, where, hint) => {
    await write(text);
    const error = await readTrustList(at('trust.json')).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'key-invalid', where: at('trust.json') });
    expect(error).toMatchObject({ why: expect.stringContaining(where) as string });
    expect(error).toMatchObject({ why: expect.stringContaining(hint) as string });
  });

  it('refuses one that others may change, and one beyond the limit on size', async () => {
    await write(trustListText(list));
    await chmod(at('trust.json'), 0o666);
    await expect(readTrustList(at('trust.json'))).rejects.toMatchObject({ code: 'key-invalid' });
    await chmod(at('trust.json'), 0o644);
    await write(' '.repeat(300_000));
    await expect(readTrustList(at('trust.json'))).rejects.toMatchObject({
      why: expect.stringContaining('300000') as string,
    });
  });
});
