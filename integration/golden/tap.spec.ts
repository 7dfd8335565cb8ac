import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { parseUNetConfig } from '../../shared/model/family/unet/config.ts';
import { trajectories, unet, unetInputs } from '../../shared/model/family/unet/unet.ts';
import { graphOf } from '../../shared/model/graph/graph.ts';
import { Module, ParameterSource } from '../../shared/model/module.ts';
import { layersOf, sites } from '../../shared/model/site.ts';
import { linearInputs, tap } from '../../shared/model/tap.ts';
import { TorchGenerator } from '../../worker/diffusion/noise/torch-generator.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { relativeError } from './result.ts';

const [batch, tokens] = [3, 7];

/** Σ over each trajectory's rows of (x / max(‖row‖, 1e-12))², in float64. */
function statistics(x: Float32Array, width: number): Float64Array {
  const sums = new Float64Array(batch * width);
  const rows = x.length / width / batch;
  for (let row = 0; row < rows * batch; row++) {
    const values = Float64Array.from(x.subarray(row * width, (row + 1) * width));
    const norm = Math.max(Math.hypot(...values), 1e-12);
    const offset = Math.floor(row / rows) * width;
    for (const [i, value] of values.entries()) sums[offset + i]! += (value / norm) ** 2;
  }
  return sums;
}

describe('taps', () => {
  let thread: SessionThread;
  beforeAll(() => void (thread = new SessionThread()));
  afterAll(() => thread.close());

  it.each([
    ['unusual', 1],
    ['uneven', 2],
  ] as const)('of %s give the statistics of what its layers read, %i rows a trajectory', async (name, rows) => {
    const checkpoint = await openCheckpoint(`integration/golden/vectors/${name}/checkpoint`);
    const config = parseUNetConfig(checkpoint.unet);
    const { inChannels, crossAttentionWidth, sampleSize } = config;
    const [height, width] = sampleSize;
    const root = new Module(new ParameterSource(checkpoint.unet.weights));
    const prediction = unet(root, config, { height, width, tokens, rows });

    const inputs = linearInputs([prediction]);
    const layers = sites
      .filter(({ component }) => component === 'unet')
      .flatMap((site) => layersOf(site, checkpoint.unet.weights));
    expect(layers.map((layer) => layer.name).filter((layer) => !inputs.has(layer))).toEqual([]);
    const taps = layers.map(({ name: layer, in: columns }) => {
      const x = inputs.get(layer)!;
      expect(x.type.shape[1]).toBe(columns);
      return { layer, columns, x, sums: tap(layer, x, trajectories) };
    });

    const outputs = new Set(taps.flatMap(({ x, sums }) => [x, sums]));
    const session = await thread.open(graphOf('taps', [...outputs]), { provider: 'cpu', threads: 1 });
    const noise = new TorchGenerator(5n);
    const tensor = (...shape: number[]) => ({
      type: 'float32' as const,
      shape,
      data: noise.randn(shape.reduce((a, b) => a * b)),
    });
    const found = await session.run({
      [unetInputs.sample]: tensor(batch, inChannels, height, width),
      [unetInputs.timestep]: { type: 'float32', shape: [1], data: Float32Array.of(777) },
      [unetInputs.context]: tensor(batch * rows, tokens, crossAttentionWidth),
    });
    for (const { layer, columns, x, sums } of taps) {
      const sum = found.get(sums.name)!;
      expect(sum.shape).toEqual([batch, 1, columns]);
      expect(relativeError(sum.data, statistics(found.get(x.name)!.data, columns)), layer).toBeLessThan(2e-6);
    }
    await session.dispose();
  });
});
