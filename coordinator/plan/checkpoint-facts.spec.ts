import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { gridExponent } from '../../shared/statistics/exact-sum.ts';
import { billOf, defaultRates } from './bill.ts';
import { checkpointFacts } from './checkpoint-facts.ts';
import { parseCampaign } from './parse-campaign.ts';
import { planCampaign } from './plan-campaign.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const emojiSd = await openCheckpoint(join(root, 'checkpoint', 'emoji-sd'));
const sampling = { steps: 50, guidance: 7.5 };
const folder = join(root, 'deploy', 'campaign');

describe('checkpointFacts of emoji-sd', () => {
  it('knows size, scheduler and calls', async () => {
    const facts = await checkpointFacts(emojiSd, 'id', sampling);
    expect(facts.sampling).toEqual({ scheduler: 'pndm', steps: 50, guidance: 7.5, height: 16, width: 16 });
    expect(facts.calls).toBe(51);
  });

  it('knows the rows of every layer: tokens times guidance rows', async () => {
    const { sites } = await checkpointFacts(emojiSd, 'id', sampling);
    const rows = new Map(sites.map(({ site, layers }) => [site, layers.map((layer) => layer.rows)]));
    // Latents of 16×16 and 8×8 and 4×4, two guidance rows; prompts of 24 tokens.
    expect(rows.get('ffn2')).toEqual([512, 128, 32, 128, 128, 512, 512]);
    expect(rows.get('ffn1')).toEqual(rows.get('ffn2'));
    expect(rows.get('attn-key')).toEqual(Array(7).fill(48));
    expect(rows.get('attn-value')).toEqual(Array(7).fill(48));
    expect(rows.get('text')).toEqual(Array(3).fill(48));
    expect(gridExponent(50 * 512)).toBe(37);
  });

  it('halves them without guidance and takes the size that is asked for', async () => {
    const { sites, sampling: resolved } = await checkpointFacts(emojiSd, 'id', {
      ...sampling,
      guidance: 1,
      size: { width: 128, height: 64 },
    });
    expect([resolved.height, resolved.width]).toEqual([16, 32]);
    expect(sites[0]?.layers[0]?.rows).toBe(512);
    expect(sites.find(({ site }) => site === 'text')?.layers[0]?.rows).toBe(24);
  });

  it('refuses a size that does not divide', async () => {
    const asked = { ...sampling, size: { width: 62, height: 64 } };
    await expect(checkpointFacts(emojiSd, 'id', asked)).rejects.toMatchObject({
      code: 'campaign-invalid',
      where: 'sampling.size',
    });
  });

  it('counts operations: 1.67 GFLOP a guided trajectory, as docs/performance.md has it', async () => {
    const { unet } = await checkpointFacts(emojiSd, 'id', sampling);
    expect(unet.flops / 1e9).toBeCloseTo(1.67, 2);
    expect(unet.weightBytes / 4e6).toBeCloseTo(8.79, 2);
  });
});

describe('the calls of a trajectory', () => {
  const calls = async (changed: Partial<typeof emojiSd>, asked = {}) =>
    (await checkpointFacts({ ...emojiSd, ...changed }, 'id', { ...sampling, ...asked })).calls;

  it('follow the checkpoint: PNDM twice its first step, or three Runge-Kutta steps', async () => {
    expect(await calls({})).toBe(51);
    expect(await calls({}, { scheduler: 'ddim' })).toBe(50);
    expect(await calls({ schedulerConfig: { ...emojiSd.schedulerConfig, skip_prk_steps: false } })).toBe(59);
  });

  it('refuse a scheduler that Lethe does not have, unless another is asked for', async () => {
    const modelIndex = { ...emojiSd.modelIndex, scheduler: ['diffusers', 'UniPCMultistepScheduler'] };
    await expect(calls({ modelIndex })).rejects.toMatchObject({ code: 'config-unsupported', setting: ['checkpoint'] });
    expect(await calls({ modelIndex }, { scheduler: 'euler' })).toBe(50);
  });
});

describe('the example campaigns', () => {
  const read = (name: string) => parseCampaign(readFileSync(join(folder, name), 'utf8'), name);

  it.each(readdirSync(folder))('%s is a campaign of that name', (file) => {
    expect(read(file).name).toBe(basename(file, '.yaml'));
  });

  it('emoji-demo runs each trajectory once: both concepts are compared with one list', async () => {
    const campaign = read('emoji-demo.yaml');
    const plan = planCampaign(campaign, await checkpointFacts(emojiSd, 'id', campaign.sampling), 'cpu');
    const [neon, violin] = plan.concepts.map(({ sites }) => sites.map(({ site, skillRatio }) => [site, skillRatio]));
    expect(neon).toEqual([
      ['ffn2', 0.042],
      ['attn-value', 0.08],
    ]);
    expect(violin).toEqual([
      ['ffn2', 0.042],
      ['attn-key', 0.14],
      ['attn-value', 0.2],
      ['text', 0.14],
    ]);
    const { unetCalls, reference } = billOf(plan, () => false, defaultRates(plan, 1));
    expect([unetCalls.total, reference.unetCalls]).toEqual([106 * 21, 2 * (46 + 16) * 21]);
  });

  it('sd15-styles is a campaign', () => {
    const { concepts } = read('sd15-styles.yaml');
    expect(concepts.map(({ name }) => name)).toEqual([
      'Claude Monet',
      'Pablo Picasso',
      'Van Gogh',
      'female nurse',
      'parachute',
    ]);
    expect(concepts.find(({ kind }) => kind === 'gender')?.base.map(({ seed }) => seed)).toEqual(['0', '1', '2', '3']);
  });
});

/** A campaign as YAML has it, or a part of one. */
type Part = Readonly<Record<string, unknown>> & { readonly concepts?: readonly { readonly name: string }[] };

describe('the campaigns of docs/guide', () => {
  const blocksOf = (guide: string): readonly string[] =>
    [...readFileSync(join(root, 'docs', 'guide', guide), 'utf8').matchAll(/```yaml\n([^]*?)```/g)].map(
      ([, text = '']) => text,
    );
  const [example = ''] = blocksOf('campaign.md');
  const named = ['violin', 'cat', 'Neon'].map((name) => ({ name, kind: 'object', target: [name], base: ['a thing'] }));

  /** A part in the place that it has in a campaign: that of the guide, with the concepts that parts name. */
  const whole = (text: string): string => {
    const part = parse(text) as Part;
    if ('name' in part) return text;
    const { concepts = [], ...campaign } = parse(example) as Part;
    const all = new Map([...concepts, ...named].map((each) => [each.name, each]));
    for (const each of part.concepts ?? []) all.set(each.name, { ...all.get(each.name), ...each });
    return stringify({ ...campaign, ...part, concepts: [...all.values()] });
  };

  it.each(['campaign.md', 'verify-and-tune.md', 'quick-start.md'])('are read, every one in %s', (guide) => {
    const blocks = blocksOf(guide);
    expect(blocks).not.toEqual([]);
    for (const block of blocks)
      expect(() => {
        parseCampaign(whole(block), guide);
      }, block).not.toThrow();
  });

  it('begin with one of three concepts', () => {
    const campaign = parseCampaign(example, 'guide');
    expect(campaign.concepts.map(({ name, target }) => [name, target.length])).toEqual([
      ['Van Gogh', 4],
      ['female nurse', 2],
      ['parachute', 2],
    ]);
  });
});
