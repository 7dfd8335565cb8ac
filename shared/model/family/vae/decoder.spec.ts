import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../checkpoint/open-checkpoint.ts';
import { graphOf } from '../../graph/graph.ts';
import { formatType } from '../../graph/tensor-type.ts';
import { refusalOf } from '../../model.spec-support.ts';
import { Module, ParameterSource } from '../../module.ts';
import { parseVaeConfig } from './config.ts';
import { vaeDecoder } from './decoder.ts';

async function build(changes: Readonly<Record<string, unknown>>, without = /^$/) {
  const { vae } = await openCheckpoint('integration/golden/vectors/unusual/checkpoint');
  const tensors = new Map([...vae.weights.tensors].filter(([name]) => !without.test(name)));
  const root = new Module(new ParameterSource({ ...vae.weights, tensors }));
  const config = parseVaeConfig({ config: { ...vae.config, ...changes }, configPath: 'vae/config.json' });
  const names = [...tensors.keys()].filter((name) => /^(decoder|post_quant_conv)\./.test(name));
  return { graph: () => graphOf('vae', [vaeDecoder(root, config, 5, 7)]), names };
}

const attention = /^decoder\.mid_block\.attentions\./;

describe('vaeDecoder', () => {
  it("has every weight of the decoder once and none of the encoder's", async () => {
    const { graph, names } = await build({});
    expect(
      graph()
        .parameters.map(({ name }) => name)
        .sort(),
    ).toEqual(names.sort());
    expect(formatType(graph().outputs[0]!.type)).toBe('float[images,3,40,56]');
  });

  it('attends in the middle if the weights are there, whatever the config says, as diffusers 0.29', async () => {
    const { graph, names } = await build({ mid_block_add_attention: false });
    expect(graph().parameters).toHaveLength(names.length);
  });

  it('does without attention where config and weights leave it out, as later versions save it', async () => {
    const { graph, names } = await build({ mid_block_add_attention: false }, attention);
    expect(graph().parameters).toHaveLength(names.length);
    const { graph: refused } = await build({}, attention);
    expect(refusalOf(refused)).toMatch(/^tensor-mismatch: .* decoder\.mid_block\.attentions\.0\./);
  });
});
