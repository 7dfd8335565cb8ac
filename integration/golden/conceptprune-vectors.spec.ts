import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { readSafetensors } from '../../shared/checkpoint/read-safetensors.ts';
import { readTensorAt } from '../../shared/checkpoint/read-tensor.ts';
import type { WeightLocation } from '../../shared/checkpoint/weights.ts';
import { scoreLayer } from '../../shared/method/conceptprune/score-layer.ts';
import { emptyBits } from '../../shared/tensor/bit-matrix.ts';
import { type GoldenPair, readGoldenPair } from './conceptprune-pair.ts';
import { compareMask, type OwnLayer } from './conceptprune-vectors.ts';

const vectors = 'integration/golden/vectors';

/** From the golden's own norms and the checkpoint's weights to masks. */
async function scored(pair: GoldenPair, locate: (tensor: string) => WeightLocation): Promise<Map<string, OwnLayer>> {
  const own = new Map<string, OwnLayer>();
  for (const { name, norms, out, in: columns } of pair.layers) {
    const entry = locate(`${name}.weight`);
    const { data: weight } = await readTensorAt(entry.file, entry);
    if (!(weight instanceof Float32Array)) throw new Error(`${name} is no matrix of floats`);
    const { union } = scoreLayer({ out, in: columns, data: weight }, norms, pair.settings);
    own.set(name, { norms, union, weight });
  }
  return own;
}

async function namesIn(directory: string): Promise<string[]> {
  const files = await readdir(join(vectors, directory));
  return files
    .filter((file) => file.endsWith('.json') && file.startsWith('conceptprune-'))
    .map((file) => file.slice(0, -5));
}

describe("the reference's masks from the reference's norms", () => {
  let locators: Record<string, (tensor: string) => WeightLocation>;
  beforeAll(async () => {
    const tiny = await readSafetensors(join(vectors, 'sd15', 'conceptprune-weights.safetensors'));
    const emoji = await openCheckpoint('checkpoint/emoji-sd');
    locators = {
      sd15: (tensor) => ({ ...tiny.tensors.get(tensor)!, file: tiny.path }),
      'emoji-sd': (tensor) => emoji.unet.weights.tensors.get(tensor)!,
    };
  });

  it.each(['sd15', 'emoji-sd'])('are the same but for ties: every pair of %s', async (directory) => {
    const names = await namesIn(directory);
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) {
      const pair = await readGoldenPair(join(vectors, directory), name);
      const { layers, passed } = compareMask(await scored(pair, locators[directory]!), pair);
      for (const { name: layer, wrong, tied, set, normError } of layers) {
        expect({ name, layer, wrong, normError }).toEqual({ name, layer, wrong: 0, normError: 0 });
        expect(tied, `${name}, ${layer}: ties`).toBeLessThanOrEqual(set / 1000);
      }
      expect(passed).toBe(true);
    }
  });

  it('do not pass with one wrong bit, an empty mask, other norms or a layer less', async () => {
    const pair = await readGoldenPair(join(vectors, 'sd15'), 'conceptprune-ffn2');
    const own = await scored(pair, locators['sd15']!);
    const [name, layer] = [...own][0]!;
    const changed = (other: OwnLayer) => compareMask(new Map([...own, [name, other]]), pair);

    // The row's best weight at the first step cannot be a tie.
    const first = layer.union.bytes.findIndex((byte) => byte !== 0);
    const bytes = layer.union.bytes.slice();
    bytes[first] = 0;
    expect(changed({ ...layer, union: { ...layer.union, bytes } })).toMatchObject({ passed: false });
    const empty = changed({ ...layer, union: emptyBits(layer.union.rows, layer.union.columns) });
    expect(empty.passed).toBe(false);
    expect(empty.layers[0]!.wrong).toBeGreaterThan(0.9 * empty.layers[0]!.set);
    const far = { ...layer.norms, base: layer.norms.base.map((norms) => norms.map((norm) => norm * 1.001)) };
    expect(changed({ ...layer, norms: far }).passed).toBe(false);
    expect(compareMask(new Map([...own].slice(1)), pair).passed).toBe(false);
  });

  it('allow a weight whose two scores are equal to differ', () => {
    const norms = { base: [Float32Array.of(1, 1)], target: [Float32Array.of(2, 1.00001)] };
    const golden = { name: 'l', norms, mask: [1, 1], out: 1, in: 2 };
    const weight = Float32Array.of(1, 1);
    const union = { rows: 1, columns: 2, bytes: Uint8Array.of(0b01) };
    const settings = { skillRatio: 1, selection: 'reference', margin: 1, selectRatio: 0 } as const;
    const { layers } = compareMask(new Map([['l', { norms, union, weight }]]), { layers: [golden], settings });
    expect(layers).toEqual([{ name: 'l', normError: 0, equal: 1, tied: 1, wrong: 0, set: 2 }]);
  });
});
