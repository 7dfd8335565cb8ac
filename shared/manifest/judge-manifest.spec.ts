import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../unit/canonical-json.ts';
import { judgeManifest, type ManifestStandard, type RefusalReason } from './judge-manifest.ts';
import { manifestDigest, type Manifest, statementLimit } from './manifest.ts';
import { checkpoint, manifest, newKey, trustIn } from './manifests.spec-support.ts';
import { signManifest } from './sign-manifest.ts';
import { signStatement } from './statement.ts';

const key = newKey();
const standard: ManifestStandard = { checkpoint, trust: trustIn(key), seen: undefined };
const signed = signManifest(manifest, key);

const reasonOf = (bytes: Uint8Array, by: Partial<ManifestStandard> = {}): RefusalReason | 'accepted' => {
  const judgement = judgeManifest(bytes, { ...standard, ...by });
  if (judgement.kind === 'refused') expect(judgement.why).not.toBe('');
  return judgement.kind === 'refused' ? judgement.reason : 'accepted';
};
const altered = (bytes: Uint8Array, at: number, byte: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[at] = byte;
  return copy;
};
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'));
const withBody = (change: object): Uint8Array => signStatement('manifest', { ...manifest, ...change }, key);

describe('judgeManifest', () => {
  it('accepts what an active key has signed, whatever order its members were set in', () => {
    const judgement = judgeManifest(signed, standard);
    expect(judgement).toEqual({ kind: 'accepted', manifest, digest: manifestDigest(manifest) });
    const reversed = Object.fromEntries(Object.entries(manifest).reverse()) as unknown as Manifest;
    expect(Buffer.compare(signManifest(reversed, key), signed)).toBe(0);
    expect(reasonOf(withBody({ masks: [], union: undefined }))).toBe('accepted');
  });

  it('refuses every manifest in which a single byte is another', () => {
    for (let at = 0; at < signed.length; at += 1)
      for (const flip of [0x01, 0x02, 0x20, 0x80])
        expect(reasonOf(altered(signed, at, (signed[at] ?? 0) ^ flip)), `byte ${at}`).not.toBe('accepted');
    fc.assert(
      fc.property(fc.nat(signed.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        fc.pre(signed[at] !== byte);
        expect(reasonOf(altered(signed, at, byte))).not.toBe('accepted');
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses a manifest that is cut off anywhere, or goes on', () => {
    for (let length = 0; length < signed.length; length += 1)
      expect(reasonOf(signed.subarray(0, length)), `${length} bytes`).not.toBe('accepted');
    expect(reasonOf(bytesOf(`${textOf(signed)}\n`))).toBe('not-canonical');
    expect(reasonOf(bytesOf(`\uFEFF${textOf(signed)}`))).toBe('malformed');
  });

  it('throws nothing, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytesOf)), (bytes) => {
        expect(reasonOf(Uint8Array.from(bytes))).not.toBe('accepted');
      }),
    );
    expect(reasonOf(bytesOf('['.repeat(200_000)))).toBe('malformed');
    expect(reasonOf(bytesOf(`${'['.repeat(200_000)}${']'.repeat(200_000)}`))).toBe('malformed');
    expect(reasonOf(new Uint8Array(statementLimit + 1))).toBe('malformed');
  });

  const envelope = JSON.parse(textOf(signed)) as Readonly<Record<string, unknown>>;
  const retired = trustIn([key, 'retired']);
  const digest = manifestDigest(manifest);
  it.each<[string, Uint8Array, Partial<ManifestStandard>, RefusalReason]>([
    ['the plain manifest of an older build', bytesOf(canonicalJson(manifest)), {}, 'unsigned'],
    ['one without a signature', bytesOf(canonicalJson({ ...envelope, signature: undefined })), {}, 'unsigned'],
    ['one without a key', bytesOf(canonicalJson({ ...envelope, key: undefined })), {}, 'unsigned'],
    ['an empty signature', bytesOf(canonicalJson({ ...envelope, signature: '' })), {}, 'malformed'],
    ['a member more', bytesOf(canonicalJson({ ...envelope, more: 1 })), {}, 'malformed'],
    ['a signed member more', withBody({ more: 1 }), {}, 'malformed'],
    ['white space', bytesOf(JSON.stringify(envelope, null, 1)), {}, 'not-canonical'],
    ['members in another order', bytesOf(JSON.stringify({ signature: 0, ...envelope })), {}, 'not-canonical'],
    ['a member twice', bytesOf(textOf(signed).replace('{', '{"key":"x",')), {}, 'not-canonical'],
    ['an escape that need not be', bytesOf(textOf(signed).replace('Neon', '\\u004eeon')), {}, 'not-canonical'],
    ['concepts out of order', withBody({ masks: manifest.masks.toReversed() }), {}, 'malformed'],
    ['a concept twice', withBody({ masks: [manifest.masks[0], manifest.masks[0]] }), {}, 'malformed'],
    ['masks without their union', withBody({ union: undefined }), {}, 'malformed'],
    ['version 0', withBody({ version: 0 }), {}, 'malformed'],
    ['a version that JSON cannot tell from the next', withBody({ version: 2 ** 53 }), {}, 'malformed'],
    ['a key that is not in the list', signManifest(manifest, newKey()), {}, 'unknown-key'],
    ['no trusted key at all', signed, { trust: { keys: [] } }, 'unknown-key'],
    ['a retired key', signed, { trust: retired }, 'retired-key'],
    [
      'another key under the id of a trusted one',
      signManifest(manifest, { ...newKey(), id: key.id }),
      {},
      'bad-signature',
    ],
    ['a statement of another kind', signStatement('record', manifest, key), {}, 'malformed'],
    ["another checkpoint's", signed, { checkpoint: `sha256:${'d'.repeat(64)}` }, 'wrong-checkpoint'],
    ['an older one', signed, { seen: { version: 8, digest: '5'.repeat(64) } }, 'older-version'],
    ['another content', signed, { seen: { version: 7, digest: '5'.repeat(64) } }, 'same-version-other-content'],
  ])('refuses %s', (_, bytes, by, reason) => {
    expect(reasonOf(bytes, by)).toBe(reason);
  });

  it('does not take the signature of one kind of statement for that of another', () => {
    const { signature } = JSON.parse(textOf(signStatement('record', manifest, key))) as { signature: string };
    expect(reasonOf(bytesOf(canonicalJson({ ...envelope, signature })))).toBe('bad-signature');
  });

  it('accepts what was seen again, also under another key, and what is newer', () => {
    const seen = { version: 7, digest };
    expect(reasonOf(signed, { seen })).toBe('accepted');
    const other = newKey();
    expect(reasonOf(signManifest(manifest, other), { seen, trust: trustIn(key, other) })).toBe('accepted');
    expect(reasonOf(signed, { seen: { version: 6, digest: '5'.repeat(64) } })).toBe('accepted');
  });
});
