import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { encodeMask, maskName } from '../../shared/mask/mask-file.ts';
import { largestMask } from '../../shared/mask/largest-mask.ts';
import { compressMask } from '../../shared/mask/mask-storage.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { emptyBits } from '../../shared/tensor/bit-matrix.ts';
import { graphVersion, type ImageUnit } from '../../shared/unit/unit.ts';
import { emojiSd } from '../diffusion/emoji-sd.spec-support.ts';
import { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import { noCalls, type Phase } from '../observe/phase.ts';
import { SessionCache } from '../session/session-cache.ts';
import { SessionThread } from '../session/session-thread.ts';
import { drawUnit } from './draw-unit.ts';
import { PrunedModels } from './pruned-models.ts';

const thread = new SessionThread();
const sessions = new SessionCache(thread, { provider: 'cpu', threads: 1 }, 4);
const running = { onPhase: () => undefined, signal: new AbortController().signal };
let checkpoint: Checkpoint;
let id: string;
let model: StableDiffusion;
let unit: ImageUnit;

beforeAll(async () => {
  checkpoint = await openCheckpoint(emojiSd);
  id = await checkpointId(checkpoint);
  model = await StableDiffusion.open(checkpoint, sessions);
  unit = {
    kind: 'image',
    checkpoint: id,
    numerics: 'spec',
    graph: graphVersion,
    sampling: { scheduler: 'pndm', steps: 4, guidance: 2.5, height: 16, width: 16 },
    trajectories: ['a cat', 'a dog', 'a cat'].map((prompt, i) => ({ prompt, seed: String(i) })),
  };
});
afterAll(async () => {
  await thread.close();
});

/** A mask that prunes every weight of one layer. */
function maskOf(name: string, of = id): Mask {
  const [rows = 0, columns = 0] = checkpoint.unet.weights.tensors.get(`${name}.weight`)?.shape ?? [];
  const bits = emptyBits(rows, columns);
  return {
    checkpoint: of,
    parts: [],
    timesteps: [],
    layers: [{ site: 'ffn2', name, union: { ...bits, bytes: bits.bytes.fill(255) }, steps: [] }],
  };
}

describe('drawing a unit', () => {
  it('tells each phase as it begins, and counts its calls', async () => {
    const phases: Phase[] = [];
    const calls = noCalls();
    const images = await drawUnit(model, unit, calls, { ...running, onPhase: (phase) => phases.push(phase) });
    expect(images).toHaveLength(3);
    expect(phases.map((phase) => (phase.kind === 'step' ? phase.step : phase.kind))).toEqual([
      'loading',
      'encoding',
      ...[0, 1, 2, 3, 4],
      ...['decoding', 'decoding', 'decoding'],
    ]);
    // The empty prompt, and each of the others once.
    expect(calls).toEqual({ unetCalls: 15, unetRuns: 5, prompts: 3 });
  });

  it('gives an image the same bytes whatever shares its unit', async () => {
    const all = await drawUnit(model, unit, noCalls(), running);
    for (const [i, trajectory] of unit.trajectories.entries()) {
      const [alone] = await drawUnit(model, { ...unit, trajectories: [trajectory] }, noCalls(), running);
      expect(Buffer.from(alone ?? []).equals(Buffer.from(all[i] ?? []))).toBe(true);
    }
  });

  it.each(['encoding', 'step', 'decoding'] as const)('stops when it is asked to, at %s', async (kind) => {
    const stop = new AbortController();
    const onPhase = (phase: Phase): void => {
      if (phase.kind === kind) stop.abort('the spec says so');
    };
    const drawing = drawUnit(model, unit, noCalls(), { onPhase, signal: stop.signal });
    await expect(drawing).rejects.toMatchObject({ code: 'unit-stopped', why: 'the spec says so' });
  });

  it('refuses what no coordinator of this release asks for', async () => {
    const sampling = { ...unit.sampling, scheduler: 'heun' };
    await expect(drawUnit(model, { ...unit, sampling }, noCalls(), running)).rejects.toMatchObject({
      code: 'unit-invalid',
    });
    await expect(drawUnit(model, { ...unit, trajectories: [] }, noCalls(), running)).rejects.toMatchObject({
      code: 'unit-invalid',
    });
  });
});

describe('models pruned by masks that come with leases', () => {
  const layer = 'mid_block.attentions.0.transformer_blocks.0.ff.net.2';

  it('draw other images, and are found again without the mask', async () => {
    const bytes = encodeMask(maskOf(layer));
    const hash = maskName(bytes);
    const models = new PrunedModels(sessions);
    const pruned = await models.get(checkpoint, id, hash, await compressMask(bytes));
    const [before] = await drawUnit(model, unit, noCalls(), running);
    const [after] = await drawUnit(pruned, unit, noCalls(), running);
    expect(Buffer.from(after ?? []).equals(Buffer.from(before ?? []))).toBe(false);
    expect(await models.get(checkpoint, id, hash, undefined)).toBe(pruned);
  });

  it('are refused for bytes that are not the mask, none at all, and a mask of another checkpoint', async () => {
    const models = new PrunedModels(sessions);
    const bytes = encodeMask(maskOf(layer));
    const hash = maskName(bytes);
    const damaged = Uint8Array.from(bytes);
    damaged[damaged.length - 1] = 0;
    await expect(models.get(checkpoint, id, hash, damaged)).rejects.toMatchObject({ code: 'mask-invalid' });
    await expect(models.get(checkpoint, id, hash, undefined)).rejects.toMatchObject({ code: 'mask-invalid' });
    const foreign = encodeMask(maskOf(layer, `sha256:${'0'.repeat(64)}`));
    await expect(models.get(checkpoint, id, maskName(foreign), foreign)).rejects.toMatchObject({
      code: 'mask-mismatch',
    });
    const claiming = Buffer.concat([Buffer.from('LETHEMZ1'), Buffer.alloc(8, 0x7f), Buffer.alloc(64)]);
    await expect(models.get(checkpoint, id, hash, claiming)).rejects.toMatchObject({
      why: expect.stringContaining(`at most ${largestMask(checkpoint)} are read`) as string,
    });
    // What failed is not kept.
    await expect(models.get(checkpoint, id, hash, bytes)).resolves.toBeInstanceOf(StableDiffusion);
  });
});
