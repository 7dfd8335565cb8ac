import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import type { MaskedLayer } from '../../shared/method/method.ts';
import type { PrunedWeights } from '../../shared/model/module.ts';
import { type SiteName, sites } from '../../shared/model/site.ts';
import { emptyBits } from '../../shared/tensor/bit-matrix.ts';
import { emojiSd } from '../diffusion/emoji-sd.spec-support.ts';
import { generateImages } from '../diffusion/generate.ts';
import { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import { SessionCache } from '../session/session-cache.ts';
import { SessionThread } from '../session/session-thread.ts';
import { allBits, type BitsOf, maskWith, siteLayers } from './masks.spec-support.ts';
import { type Pruning, pruningOf, unpruned } from './pruning.ts';

let thread: SessionThread;
let checkpoint: Checkpoint;
let id: string;
beforeAll(async () => {
  thread = new SessionThread();
  checkpoint = await openCheckpoint(emojiSd);
  id = await checkpointId(checkpoint);
});
afterAll(() => thread.close());

const layersOf = (site: SiteName, bits: BitsOf): readonly MaskedLayer[] => siteLayers(checkpoint, site, bits);
const masked = (layers: readonly MaskedLayer[], of = id): Mask => maskWith(of, layers);

async function image(pruning: Pruning, from = checkpoint): Promise<Float32Array> {
  const sessions = new SessionCache(thread, { provider: 'cpu', threads: 1 }, 3);
  const model = await StableDiffusion.open(from, sessions, pruning);
  const sampling = { scheduler: 'euler', steps: 2, guidance: 2.5, height: 16, width: 16 } as const;
  const [made] = await generateImages(model, sampling, [{ prompt: 'a cat', seed: 1n }], 1, () => undefined);
  return made?.image.data ?? new Float32Array();
}

describe('a pruned checkpoint', () => {
  it('gives the same image with a mask that prunes nothing, and another one with each site pruned', async () => {
    const plain = await image(unpruned);
    expect(plain.every(Number.isFinite)).toBe(true);
    for (const { name } of sites) {
      expect(await image(pruningOf(masked(layersOf(name, emptyBits)), checkpoint, id))).toEqual(plain);
      expect(await image(pruningOf(masked(layersOf(name, allBits)), checkpoint, id))).not.toEqual(plain);
    }
  });

  it('has no effect left of what is pruned: the weights may hold anything', async () => {
    for (const site of ['ffn1', 'ffn2', 'attn-value'] as const) {
      const mask = masked(layersOf(site, allBits));
      const pruning = pruningOf(mask, checkpoint, id);
      const swapped = otherWeights(checkpoint, pruning.unet);
      expect(await image(pruning, swapped)).toEqual(await image(pruning));
      expect(await image(unpruned, swapped)).not.toEqual(await image(unpruned));
    }
  });

  it('refuses a mask of another checkpoint, another shape, another site, and of a layer that is not there', () => {
    const [layer] = layersOf('ffn2', emptyBits);
    if (layer === undefined) throw new Error('emoji-sd has ffn2 layers');
    const refusal = (mask: Mask): unknown => {
      try {
        return pruningOf(mask, checkpoint, id);
      } catch (error) {
        return error;
      }
    };
    expect(refusal(masked([layer], 'sha256:0'))).toMatchObject({ code: 'mask-mismatch', where: 'checkpoint' });
    for (const changed of [
      { ...layer, union: emptyBits(layer.union.rows, layer.union.columns - 1) },
      { ...layer, site: 'attn-value' as const },
      { ...layer, name: `other.${layer.name}` },
    ])
      expect(refusal(masked([changed]))).toMatchObject({ code: 'mask-mismatch', where: changed.name });
  });
});

/** The checkpoint with the bytes of other tensors in place of these: each reads from the start of its file's data. */
function otherWeights(from: Checkpoint, pruned: PrunedWeights): Checkpoint {
  const tensors = new Map(from.unet.weights.tensors);
  for (const name of pruned.keys()) {
    const location = tensors.get(name);
    if (location === undefined) continue;
    const begin = Math.min(...[...tensors.values()].map((each) => each.begin));
    tensors.set(name, { ...location, begin, end: begin + location.end - location.begin });
  }
  const unet = { ...from.unet, weights: { ...from.unet.weights, tensors } };
  return { ...from, directory: `${from.directory} swapped`, unet };
}
