import { open, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { clipText, clipTextInputs } from '../../shared/model/family/clip/clip-text.ts';
import { parseClipTextConfig } from '../../shared/model/family/clip/config.ts';
import { unet, unetInputs } from '../../shared/model/family/unet/unet.ts';
import { graphOf } from '../../shared/model/graph/graph.ts';
import { Module, ParameterSource } from '../../shared/model/module.ts';
import type { SiteName } from '../../shared/model/site.ts';
import { linearInputs } from '../../shared/model/tap.ts';
import { type Partial, statisticOf } from '../../shared/statistics/partial.ts';
import { type DenoiseUnit, type EncodeUnit, graphVersion, type ObservedUnit } from '../../shared/unit/unit.ts';
import { copyOfEmojiSd } from '../diffusion/emoji-sd.spec-support.ts';
import { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import { SessionCache } from '../session/session-cache.ts';
import { SessionThread } from '../session/session-thread.ts';
import type { Observation } from './observation.ts';
import { observeUnit } from './observe-unit.ts';
import { type CallCounter, noCalls, type Phase } from './phase.ts';
import { unetContext } from './unet-context.ts';

const settings = { provider: 'cpu', threads: 1 } as const;
const thread = new SessionThread();
const sessions = new SessionCache(thread, settings, 3);
let model: StableDiffusion;
let denoise: DenoiseUnit;
let encode: EncodeUnit;

beforeAll(async () => {
  const checkpoint = await openCheckpoint('checkpoint/emoji-sd');
  model = await StableDiffusion.open(checkpoint, sessions);
  const common = { checkpoint: await checkpointId(checkpoint), numerics: 'spec', graph: graphVersion };
  const prompts = ['a cat', 'a red car', 'a tree in the style of ink'];
  denoise = {
    kind: 'denoise',
    ...common,
    sampling: { scheduler: 'pndm', steps: 50, guidance: 7.5, height: 16, width: 16 },
    trajectories: prompts.map((prompt, i) => ({ prompt, seed: String(i) })),
    window: { from: 0, to: 3 },
  };
  encode = { kind: 'encode', ...common, prompts: ['', ...prompts] };
});
afterAll(async () => {
  await thread.close();
});

interface Asked {
  readonly sites?: readonly SiteName[];
  readonly states?: readonly Uint8Array[];
  readonly counter?: CallCounter;
  readonly onPhase?: (phase: Phase) => void;
  readonly signal?: AbortSignal;
}

async function observe(unit: ObservedUnit, asked: Asked = {}): Promise<Observation> {
  const { sites = ['ffn2'], states, counter = noCalls(), onPhase = () => undefined } = asked;
  const signal = asked.signal ?? new AbortController().signal;
  return observeUnit(model, sessions, unit, sites, states, counter, { onPhase, signal });
}

/** s_j = Σ x̂_ij² in float64, of rows [rows, neurons]. */
function direct(rows: Float32Array, neurons: number): Float64Array {
  const sums = new Float64Array(neurons);
  for (let at = 0; at < rows.length; at += neurons) {
    const row = rows.subarray(at, at + neurons);
    const norm = Math.max(Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)), 1e-12);
    for (const [j, x] of row.entries()) sums[j] = (sums[j] ?? 0) + (x / norm) ** 2;
  }
  return sums;
}

function expectClose(actual: Float32Array, expected: Float64Array): void {
  const scale = Math.max(...expected);
  expect(actual.length).toBe(expected.length);
  for (const [j, value] of expected.entries()) expect(Math.abs((actual[j] ?? NaN) - value)).toBeLessThan(1e-5 * scale);
}

/** The partial's numbers of some items and steps. */
function part(partial: Partial, items: readonly number[], steps: readonly number[]): Float32Array[] {
  return steps.flatMap((step) =>
    partial.layers.flatMap((_, layer) => items.map((item) => statisticOf(partial, layer, step, item))),
  );
}

describe('a denoise unit', () => {
  it('gives the sums that float64 gives of the same inputs, of both guidance halves', async () => {
    const { partial } = await observe({ ...denoise, window: { from: 0, to: 1 } }, { sites: ['ffn1', 'ffn2'] });
    expect(new Set(partial.layers.map(({ site }) => site))).toEqual(new Set(['ffn2', 'ffn1']));
    expect(partial.layers[0]?.site).toBe('ffn2');

    const root = new Module(new ParameterSource(model.checkpoint.unet.weights));
    const call = { height: 16, width: 16, tokens: model.tokenizer.maxLength, rows: 2 } as const;
    const inputs = linearInputs([unet(root, model.unetConfig, call)]);
    const wanted = partial.layers.map(({ name }) => inputs.get(name)!);
    const session = await thread.open(graphOf('inputs', [...new Set(wanted)]), settings);
    const scheduler = model.scheduler({ ...denoise.sampling, scheduler: 'pndm' });
    const [height, width] = [16, 16];
    for (const [item, { prompt, seed }] of denoise.trajectories.entries()) {
      const { latents } = model.start(BigInt(seed), { ...denoise.sampling, scheduler: 'pndm' }, scheduler);
      const outputs = await session.run({
        [unetInputs.sample]: {
          type: 'float32',
          shape: [1, latents.length / height / width, height, width],
          data: latents,
        },
        [unetInputs.timestep]: { type: 'float32', shape: [1], data: Float32Array.of(scheduler.timesteps[0]!) },
        [unetInputs.context]: await unetContext(model, [prompt], 2, noCalls()),
      });
      for (const [i, layer] of partial.layers.entries())
        expectClose(statisticOf(partial, i, 0, item), direct(outputs.get(wanted[i]!.name)!.data, layer.neurons));
    }
    await session.dispose();
  });

  it('has the same bits in any windows', async () => {
    const whole = await observe({ ...denoise, window: { from: 0, to: 10 } });
    for (const length of [1, 3, 5]) {
      const values: number[] = [];
      let states: readonly Uint8Array[] | undefined;
      for (let from = 0; from < 10; from += length) {
        const window = { from, to: Math.min(10, from + length) };
        const counter = noCalls();
        const next: Observation = await observe(
          { ...denoise, window },
          { counter, ...(states === undefined ? {} : { states }) },
        );
        expect(counter.unetRuns).toBe(window.to - from);
        values.push(...next.partial.values);
        states = next.states;
      }
      expect(Float32Array.from(values)).toEqual(whole.partial.values);
      expect(states).toEqual(whole.states);
    }
  });

  it('runs from the start where a state is missing, and records the window alone', async () => {
    const whole = await observe(denoise);
    const counter = noCalls();
    const late = await observe({ ...denoise, window: { from: 2, to: 3 } }, { counter });
    expect(part(late.partial, [0, 1, 2], [0])).toEqual(part(whole.partial, [0, 1, 2], [2]));
    expect(late.states).toEqual(whole.states);
    expect(counter).toEqual({ unetCalls: 9, unetRuns: 3, prompts: 4 });
  });

  it('gives a trajectory the same bits in any company', async () => {
    const together = await observe(denoise);
    for (const [item, trajectory] of denoise.trajectories.entries()) {
      const alone = await observe({ ...denoise, trajectories: [trajectory] });
      expect(alone.partial.values).toEqual(
        Float32Array.from(part(together.partial, [item], [0, 1, 2]).flatMap((each) => [...each])),
      );
      expect(alone.states).toEqual([together.states[item]]);
    }
  });

  it('gives a site the same bits whatever other sites are tapped', async () => {
    const [ffn2, ffn1, both] = await Promise.all([
      observe(denoise),
      observe(denoise, { sites: ['ffn1'] }),
      observe(denoise, { sites: ['ffn1', 'ffn2'] }),
    ]);
    const layers = ffn2.partial.layers.length;
    expect(both.partial.layers).toEqual([...ffn2.partial.layers, ...ffn1.partial.layers]);
    for (let step = 0; step < 3; step++)
      for (let layer = 0; layer < layers; layer++)
        for (let item = 0; item < 3; item++) {
          expect(statisticOf(both.partial, layer, step, item)).toEqual(statisticOf(ffn2.partial, layer, step, item));
          expect(statisticOf(both.partial, layers + layer, step, item)).toEqual(
            statisticOf(ffn1.partial, layer, step, item),
          );
        }
    expect(both.states).toEqual(ffn2.states);
  });

  it('runs one row a trajectory without guidance, and no empty prompt', async () => {
    const counter = noCalls();
    const unit = { ...denoise, sampling: { ...denoise.sampling, guidance: 1 }, window: { from: 0, to: 1 } };
    const { partial } = await observe(unit, { counter });
    expect(counter).toEqual({ unetCalls: 3, unetRuns: 1, prompts: 3 });
    // Each of a layer's rows adds 1 over all neurons: half as many rows as under guidance.
    const total = (of: Partial): number => statisticOf(of, 0, 0, 0).reduce((sum, value) => sum + value, 0);
    expect(total((await observe(denoise)).partial) / total(partial)).toBeCloseTo(2, 4);
  });

  it('tells its phases, and stops between them', async () => {
    const phases: Phase[] = [];
    const stop = new AbortController();
    const stopped = observe(denoise, {
      signal: stop.signal,
      onPhase: (phase) => {
        phases.push(phase);
        if (phase.kind === 'step' && phase.step === 1) stop.abort('enough');
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'unit-stopped', why: 'enough', where: 'before step 2' });
    expect(phases).toEqual([
      { kind: 'encoding' },
      { kind: 'loading' },
      { kind: 'step', step: 0 },
      { kind: 'step', step: 1 },
    ]);
  });

  it('fails with layer and step where an activation is not finite', async () => {
    const directory = await copyOfEmojiSd();
    const layer = 'mid_block.attentions.0.transformer_blocks.0.ff.net';
    const { tensors } = (await openCheckpoint(directory)).unet.weights;
    const { file, begin } = tensors.get(`${layer}.0.proj.weight`)!;
    const weights = await open(file, 'r+');
    // All ones is NaN in every floating-point type.
    await weights.write(Buffer.alloc(4, 0xff), 0, 4, begin);
    await weights.close();
    const broken = await StableDiffusion.open(await openCheckpoint(directory), sessions);
    const supervision = { onPhase: () => undefined, signal: new AbortController().signal };
    const observed = observeUnit(broken, sessions, denoise, ['ffn2', 'ffn1'], undefined, noCalls(), supervision);
    await expect(observed).rejects.toMatchObject({ code: 'non-finite', layer: `${layer}.2`, step: 0 });
    await rm(directory, { recursive: true });
  });

  it('refuses what no plan asks for', async () => {
    const refused = (unit: ObservedUnit, asked?: Asked) => expect(observe(unit, asked)).rejects;
    await refused(denoise, { sites: ['text'] }).toMatchObject({ code: 'unit-invalid', where: 'sites: text' });
    await refused(encode, { sites: ['ffn2'] }).toMatchObject({ code: 'unit-invalid' });
    await refused(denoise, { sites: [] }).toMatchObject({ code: 'unit-invalid' });
    await refused({ ...denoise, window: { from: 50, to: 52 } }).toMatchObject({
      code: 'unit-invalid',
      where: 'window',
    });
    await refused({ ...denoise, trajectories: [] }).toMatchObject({ code: 'unit-invalid' });
    await refused({ ...denoise, sampling: { ...denoise.sampling, scheduler: 'heun' } }).toMatchObject({
      code: 'unit-invalid',
    });
    const { states } = await observe({ ...denoise, window: { from: 0, to: 1 } });
    await refused({ ...denoise, window: { from: 2, to: 3 } }, { states }).toMatchObject({ where: 'states' });
    await refused(denoise, { states: states.slice(1) }).toMatchObject({ where: 'states' });
    await refused(denoise, { states: [...states].reverse() }).toMatchObject({ code: 'trajectory-invalid' });
  });
});

describe('an encode unit', () => {
  it('gives the sums that float64 gives of the same inputs', async () => {
    const { partial, states } = await observe(encode, { sites: ['text', 'attn-value', 'attn-key'] });
    expect(states).toEqual([]);
    expect([...new Set(partial.layers.map(({ site }) => site))]).toEqual(['attn-key', 'attn-value', 'text']);

    const { textEncoder } = model.checkpoint;
    const config = parseClipTextConfig(textEncoder);
    const length = model.tokenizer.maxLength;
    const hidden = clipText(new Module(new ParameterSource(textEncoder.weights)), config, length);
    const inputs = linearInputs([hidden]);
    const value = (layer: string, site: SiteName) => (site === 'text' ? inputs.get(layer)! : hidden);
    const wanted = partial.layers.map(({ name, site }) => value(name, site));
    const session = await thread.open(graphOf('inputs', [...new Set(wanted)]), settings);
    for (const [item, prompt] of encode.prompts.entries()) {
      const ids = Int32Array.from(model.tokenizer.encode(prompt).ids);
      const outputs = await session.run({ [clipTextInputs.ids]: { type: 'int32', shape: [1, length], data: ids } });
      for (const [i, layer] of partial.layers.entries())
        expectClose(statisticOf(partial, i, 0, item), direct(outputs.get(wanted[i]!.name)!.data, layer.neurons));
    }
    await session.dispose();
  });

  it('gives a prompt the same bits in any company, and counts prompts, not UNet calls', async () => {
    const sites = ['attn-key', 'text'] as const;
    const counter = noCalls();
    const { partial } = await observe(encode, { sites, counter });
    expect(counter).toEqual({ unetCalls: 0, unetRuns: 0, prompts: 4 });
    for (const [item, prompt] of encode.prompts.entries()) {
      const alone = await observe({ ...encode, prompts: [prompt] }, { sites });
      expect(alone.partial.values).toEqual(Float32Array.from(part(partial, [item], [0]).flatMap((each) => [...each])));
    }
  });
});
