import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../checkpoint/open-checkpoint.ts';
import { formatType } from '../../graph/tensor-type.ts';
import { graphOf } from '../../graph/graph.ts';
import { printGraph } from '../../graph/print.ts';
import { Module, ParameterSource } from '../../module.ts';
import { parseUNetConfig } from './config.ts';
import { unet, type UNetCall, unetInputs } from './unet.ts';

const checkpoints = [
  'checkpoint/emoji-sd',
  'integration/golden/vectors/uneven/checkpoint',
  'integration/golden/vectors/unusual/checkpoint',
];

async function build(directory: string, call: Partial<UNetCall> = {}) {
  const { unet: component } = await openCheckpoint(directory);
  const root = new Module(new ParameterSource(component.weights));
  const full = { height: 16, width: 16, tokens: 24, rows: 1, ...call } as const;
  const graph = graphOf('unet', [unet(root, parseUNetConfig(component), full)]);
  return { graph, names: [...component.weights.tensors.keys()] };
}

describe.each(checkpoints)('unet of %s', (directory) => {
  it('has every weight once, whole or in rows that fill it', async () => {
    const { graph, names } = await build(directory);
    const rows = new Map<string, [from: number, to: number][]>();
    const whole: string[] = [];
    for (const { name, type } of graph.parameters) {
      const [, own = name, from, to] = /^(.*)\[(\d+):(\d+)\]$/.exec(name) ?? [];
      if (from === undefined) whole.push(name);
      else {
        rows.set(own, [...(rows.get(own) ?? []), [Number(from), Number(to)]]);
        expect(type.shape[0]).toBe(Number(to) - Number(from));
      }
    }
    expect([...whole, ...rows.keys()].sort()).toEqual([...names].sort());
    for (const spans of rows.values()) {
      spans.sort(([a], [b]) => a - b);
      spans.reduce((end, [from, to]) => {
        expect(from).toBe(end);
        return to;
      }, 0);
    }
  });

  it('names its nodes after the modules', async () => {
    const { graph, names } = await build(directory);
    const modules = new Set(
      names.flatMap((name) => {
        const parts = name.split('.');
        return parts.map((_, i) => parts.slice(0, i + 1).join('.'));
      }),
    );
    const ownNames = ['time_proj', 'time_embed', 'time_embed_act', 'center'];
    const strange = graph.nodes
      .map(({ name }) => name.slice(0, name.lastIndexOf('/')))
      .filter((path) => {
        const parts = path.split('.');
        return (
          !ownNames.includes(path.split('.')[0]!) && !parts.some((_, i) => modules.has(parts.slice(0, i + 1).join('.')))
        );
      });
    expect(strange).toEqual([]);
    expect(new Set(graph.nodes.map(({ name }) => name)).size).toBe(graph.nodes.length);
  });

  it('is the same graph at every build', async () => {
    const [once, again] = [await build(directory), await build(directory)];
    expect(printGraph(again.graph)).toBe(printGraph(once.graph));
  });

  it.each([
    [1, 16, 16],
    [2, 16, 16],
    [2, 9, 14],
  ] as const)('predicts %i rows a trajectory of %i × %i', async (rows, height, width) => {
    const { graph } = await build(directory, { rows, height, width });
    const [prediction] = graph.outputs;
    const batch = rows === 2 ? '2*trajectories' : 'trajectories';
    const channels = graph.inputs.find(({ name }) => name === unetInputs.sample)!.type.shape[1]!;
    expect(formatType(prediction!.type)).toBe(`float[${batch},${channels},${height},${width}]`);
    expect(graph.inputs.map(({ name }) => name).sort()).toEqual(Object.values(unetInputs).sort());
  });
});
