import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectDamageRefused } from '../checkpoint/damage.spec-support.ts';
import { newDirectory, refusal } from '../checkpoint/fixture.spec-support.ts';
import { encodeSafetensors } from '../checkpoint/write-safetensors.ts';
import { emptyBits, hasBit } from '../tensor/bit-matrix.ts';
import { canonicalJson } from '../unit/canonical-json.ts';
import { type Mask, maskOf, uniteMasks } from './mask.ts';
import { decodeMask, encodeMask, maskName } from './mask-file.ts';
import { compressMask, decompressMask } from './mask-storage.ts';
import { bitsOf, masks } from './masks.spec-support.ts';

const header = {
  checkpoint: 'sha256:1',
  parts: [{ concept: 'monet', method: 'conceptprune', settings: { tau: 1 } }],
  timesteps: [981],
  layers: [{ site: 'ffn2', name: 'a', out: 1, in: 11, steps: 1 }],
};

/** A file that differs from a good one in what is given. */
function crafted(change: {
  header?: object;
  json?: string;
  union?: number[];
  format?: string;
  more?: string;
}): Uint8Array {
  const tensors = ['union.a', 'step.0.a', ...(change.more === undefined ? [] : [change.more])].map((name) => {
    const data = Uint8Array.from(name === 'union.a' ? (change.union ?? [1, 4]) : [1, 0]);
    return { name, shape: [1, data.length], data };
  });
  const mask = change.json ?? canonicalJson({ ...header, ...change.header });
  return encodeSafetensors(tensors, { format: change.format ?? 'lethe-mask-1', mask });
}

const layer = header.layers[0]!;

describe('mask files', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(masks, (mask) => {
        expect(decodeMask(encodeMask(mask))).toEqual(mask);
      }),
    );
  });

  it('have the same bytes whatever the order of layers, parts and keys', () => {
    fc.assert(
      fc.property(masks, (mask) => {
        const parts = mask.parts.map(({ settings, method, concept }) => ({ settings, method, concept }));
        const other = { ...mask, layers: mask.layers.toReversed(), parts: [...parts, ...parts] };
        expect(maskName(encodeMask(other))).toBe(maskName(encodeMask(mask)));
      }),
    );
  });

  it('are read into memory of their own: sets do not change with the file, nor with what is made of them', () => {
    const file = Buffer.from(crafted({}));
    const read = decodeMask(file);
    uniteMasks([read, decodeMask(Buffer.from(crafted({ union: [0, 1] })))]);
    file.fill(0xff);
    expect(read).toEqual(decodeMask(crafted({})));
    expect(read.layers[0]!.union.bytes.buffer.byteLength).toBe(2);
  });

  it('are read by the format that the others differ from', () => {
    expect(hasBit(decodeMask(crafted({})).layers[0]!.union, 0, 10)).toBe(true);
  });

  it.each<[string, Parameters<typeof crafted>[0], RegExp]>([
    ['another format', { format: 'lethe-mask-2' }, /lethe-mask-1 is read/],
    ['a header that is not JSON', { json: '{' }, /header/],
    [
      'a header nested deeper than the stack',
      { json: canonicalJson(header).replace('{"tau":1}', '['.repeat(1e5) + ']'.repeat(1e5)) },
      /header/,
    ],
    [
      'a header with a key twice',
      { json: canonicalJson(header).replace('{', '{"checkpoint":"sha256:2",') },
      /canonical/,
    ],
    ['an unknown key', { header: { more: 1 } }, /canonical/],
    [
      'settings that reach for the prototype',
      { json: canonicalJson(header).replace('{"tau":1}', '{"__proto__":{"tau":1}}') },
      /header|canonical/,
    ],
    ['white space in the header', { json: `${canonicalJson(header)} ` }, /canonical/],
    [
      'layers of a billion rows, before memory is taken',
      { header: { layers: [{ ...layer, out: 1e9 }] } },
      /no tensor U8 \[1000000000, 2\]/,
    ],
    ['a billion steps', { header: { layers: [{ ...layer, steps: 1e9 }] } }, /steps/],
    ['a step that is not there', { header: { timesteps: [981, 961], layers: [{ ...layer, steps: 2 }] } }, /step\.1\.a/],
    ['steps without timesteps', { header: { timesteps: [] } }, /timesteps/],
    ['timesteps that increase', { header: { timesteps: [961, 981] } }, /timesteps|steps/],
    ['bits hidden past the last column', { union: [1, 8] }, /past column 11/],
    ['a tensor of another width', { union: [1, 4, 0] }, /no tensor U8 \[1, 2\]/],
    ['a tensor that the header does not name', { more: 'payload' }, /canonical/],
    ['a site that is none', { header: { layers: [{ ...layer, site: 'all' }] } }, /site/],
    ['a layer twice', { header: { layers: [layer, layer] } }, /twice/],
  ])('refuse %s', (_, change, reason) => {
    expect(() => decodeMask(crafted(change))).toThrow(reason);
  });

  it('refuse every damaged byte with a code, or read what re-encodes to it', () => {
    expectDamageRefused(crafted({}), (bytes) => encodeMask(decodeMask(bytes)));
  });

  const python = spawnSync('python3', ['-c', 'import numpy, safetensors.numpy'], { encoding: 'utf8' });
  it.skipIf(python.status !== 0)(
    'are read from Python with the package safetensors alone (needs python3 with it)',
    async () => {
      const weights = [
        [0, 0],
        [0, 10],
        [2, 7],
        [2, 8],
      ] as const;
      const mask = maskOf({
        ...header,
        layers: [{ site: 'ffn2', name: 'a', union: bitsOf(3, 11, weights), steps: [emptyBits(3, 11)] }],
      });
      const directory = await newDirectory();
      const path = join(directory, 'mask.safetensors');
      await writeFile(path, encodeMask(mask));
      const script = `import json, sys, numpy as np, safetensors
with safetensors.safe_open(sys.argv[1], 'np') as f:
    h = json.loads(f.metadata()['mask'])
    bits = np.unpackbits(f.get_tensor('union.a'), axis=1, count=h['layers'][0]['in'], bitorder='little')
print(json.dumps({'weights': np.argwhere(bits).tolist(), 'concept': h['parts'][0]['concept'], 'shape': bits.shape}))`;
      const { stdout, stderr } = spawnSync('python3', ['-c', script, path], { encoding: 'utf8' });
      await rm(directory, { recursive: true });
      expect(JSON.parse(stdout || stderr)).toEqual({ weights, concept: 'monet', shape: [3, 11] });
    },
  );
});

describe('stored masks', () => {
  const large: Mask = maskOf({
    ...header,
    layers: [{ site: 'ffn2', name: 'a', union: bitsOf(500, 900, [[3, 5]]), steps: [] }],
  });
  const bytes = encodeMask(large);
  const name = maskName(bytes);
  const claiming = (length: bigint, packed: Uint8Array) => {
    const field = Buffer.alloc(8);
    field.writeBigUInt64LE(length);
    return Buffer.concat([Buffer.from('LETHEMZ1'), field, packed]);
  };
  const size = BigInt(bytes.length);
  const packed = deflateRawSync(bytes);

  it('are compressed where it pays, always to the same bytes, under the name of what they hold', async () => {
    const stored = await compressMask(bytes);
    expect(stored.length).toBeLessThan(bytes.length / 10);
    expect(Buffer.from(await compressMask(bytes)).equals(stored)).toBe(true);
    expect(Buffer.from(await decompressMask(stored, name)).equals(bytes)).toBe(true);
  });

  it('are left as they are where it does not', async () => {
    const noise = Uint8Array.from({ length: 500 * 113 }, (_, i) => Math.imul(i * i + 7, 2654435761) >>> 24);
    const union = { rows: 500, columns: 904, bytes: noise };
    const dense = encodeMask(maskOf({ ...large, layers: [{ ...large.layers[0]!, union }] }));
    expect(await compressMask(dense)).toBe(dense);
    expect(Buffer.from(await decompressMask(dense, maskName(dense))).equals(dense)).toBe(true);
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'a length over the limit, before memory is taken',
      claiming(2n ** 63n, packed),
      /claims 9223372036854775808 bytes/,
    ],
    ['a length that so few bytes cannot make', claiming(99_999n, deflateRawSync(Buffer.from('x'))), /cannot make/],
    ['a bomb: more than it claims', claiming(1000n, deflateRawSync(new Uint8Array(1e8))), /mask-invalid/],
    ['less than it claims', claiming(size + 1n, packed), /makes/],
    ['no length', Buffer.from('LETHEMZ1\0\0\0'), /before its length/],
    ['a length of nothing', claiming(0n, packed), /cannot make/],
    ['a stream cut short', claiming(size, packed.subarray(0, -3)), /mask-invalid/],
    ['bytes after the stream', claiming(size, Buffer.concat([packed, Buffer.from('payload')])), /bytes follow/],
    [
      'damaged bytes',
      claiming(
        size,
        packed.map((byte, i) => (i === 40 ? byte ^ 255 : byte)),
      ),
      /mask-invalid/,
    ],
    ['another mask under this name', crafted({}), /hash to/],
    ['a mask over the limit that is not compressed', new Uint8Array(100_001), /at most 100000/],
  ])('are refused: %s', async (_, stored, reason) => {
    expect(await refusal(() => decompressMask(stored, name, 100_000))).toMatch(reason);
  });
});
