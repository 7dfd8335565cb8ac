import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCampaign } from '../coordinator/plan/parse-campaign.ts';
import { endStarted } from './fleet.spec-support.ts';
import { lethe } from './run-command.spec-support.ts';

let folder: string;
let data: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-tune-'));
  data = join(folder, 'data');
});
afterAll(async () => {
  endStarted();
  await rm(folder, { recursive: true });
});

/** A few steps on a few images: enough to go every way, too little to tell what a mask is worth. */
const campaign = (tune: string) => `name: tiny-tune
sampling: { steps: 4, guidance: 2.5 }
tau: 2
retain: [a picture of an owl in the style of Ink, a picture of a castle in the style of Noto]
concepts:
  - name: Neon
    kind: style
    things: [a picture of a cat, a picture of a red apple]
    phrase: in the style of Neon
  - name: violin
    kind: object
    target: [a violin, 'a violin, Noto']
    base: [a bus, 'a rose, Noto']
verify:
  prompts: ['a picture of {a object} in the style of {style}']
  images: 8
  present: 0.01
  thresholds: { ua: 0.5, ira: 0.5, cra: 0.5 }
tune:
  images: 4
  sampling: { scheduler: dpmpp-2m, steps: 8, guidance: 2.5 }
${tune}
`;

async function written(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

describe('lethe tune', () => {
  it.each([
    [
      'a campaign without the section',
      (text: string) => text.replace(/\ntune:[\s\S]*/, '\n'),
      /it has no tune section/,
    ],
    [
      'a budget for less than one mask',
      (text: string) => text.replace('budget: 60', 'budget: 16'),
      /tune\.budget.*40 do/,
    ],
    [
      'images that verify uses too',
      (text: string) => text.replace('seed: 5000000', 'seed: 1000'),
      /tune\.seed.*verify uses "a picture of/,
    ],
    [
      'a label that the classifier does not have',
      (text: string) => text.replaceAll('violin', 'fiddle'),
      /no label "fiddle"/,
    ],
  ])('refuses %s before a fleet starts', async (_, change, why) => {
    const file = await written(
      'bad.yaml',
      change(campaign('  budget: 60\n  seed: 5000000\n  together: [[Neon, violin]]')),
    );
    const { code, stdout, stderr } = await lethe(['tune', file, '--data', data]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.replaceAll(/\n\s*/g, ' ')).toMatch(why);
    expect(await readdir(folder)).not.toContain('data');
  });

  it('searches masks for concepts together, and again without a UNet call', async () => {
    const grid = '{ skill_ratio: { ffn2: [0.05, 0.4], attn-value: [0.1, 0.4] }, margin: [1], select_ratio: [0] }';
    const text = campaign(`  budget: 72\n  together: [[Neon, violin]]\n  grid: ${grid}`);
    const file = await written('tiny.yaml', text);
    const first = await lethe(['tune', file, '--data', data, '--workers', '1', '--json']);
    const { groups, report, campaign: id, verified } = JSON.parse(first.stdout) as Tuned;
    const [group] = groups;
    // What was measured on other images decides.
    expect(verified).toMatchObject([{ recorded: true }]);
    expect(first.code).toBe(verified[0]?.passed === true ? 0 : 1);
    expect(await readFile(verified[0]?.report ?? '', 'utf8')).toContain('<h2 id="trade-off">Trade-off</h2>');
    expect(group?.concepts).toEqual(['Neon', 'violin']);
    expect(group?.images).toBeLessThanOrEqual(72);
    // A quarter of each list for each layer: far more than is left.
    expect(group?.unpaidLayers.images).toBe(3 * (group?.unpaidLayers.layers ?? 0));
    expect(group?.unpaidLayers.left).toBeLessThan(2 * (group?.unpaidLayers.images ?? 0));
    expect(await readFile(report, 'utf8')).toContain('all kept: leaving out each of');
    expect(group?.winner.masks.map(({ concept }) => concept)).toEqual(['Neon', 'violin']);
    expect(group?.tradeOff.map(({ mask }) => mask)).toContain(group?.winner.mask);
    expect(group?.winner.standings.map(({ name }) => name)).toEqual([
      'UA of Neon',
      'UA of violin',
      'rest kept by object',
      'rest kept by style',
      'UA of Neon alone',
      'rest kept by object, Neon alone',
      'rest kept by style, Neon alone',
      'UA of violin alone',
      'rest kept by object, violin alone',
      'rest kept by style, violin alone',
    ]);
    expect(await readFile(report, 'utf8')).toContain('<h1>Tuning: tiny-tune</h1>');
    const winner = await readFile(group?.campaign ?? '', 'utf8');
    const parsed = parseCampaign(winner, 'winner');
    expect(parsed.verify).toEqual(parseCampaign(text, file).verify);
    expect(parsed.tune).toMatchObject({ images: 4, seed: 1_000_000, together: [['Neon', 'violin']] });

    const again = await lethe(['tune', file, '--data', data, '--workers', '1', '--json']);
    expect(JSON.parse(again.stdout)).toEqual({ groups, report, campaign: id, verified });
    expect(first.stderr).toContain('"event":"images"');
    expect(again.stderr).not.toContain('"event":"images"');
    const plan = await lethe(['sweep', group?.campaign ?? '', '--data', data, '--plan', '--json']);
    expect(JSON.parse(plan.stdout)).toMatchObject({ unetCalls: 0 });
    // Many masks of violin were tried: its name is that of the winner.
    const shown = await lethe(['show', 'violin', '--data', data, '--json']);
    const won = group?.winner.masks.find(({ concept }) => concept === 'violin');
    expect(JSON.parse(shown.stdout)).toMatchObject({ hash: won?.hash });
  });

  it('goes by the validation images where nothing is verified', async () => {
    const text = campaign(
      '  budget: 16\n  grid: { sites: [[ffn2]], skill_ratio: { ffn2: [0.4] }, select_ratio: [0] }',
    ).replace(/\n {2}- name: violin[\s\S]*?(?=\nverify)/, '');
    const bare = ['tune', '--no-verify', '--data', data, '--workers', '1', '--json'];
    for (const [least, code] of [
      ['{ ua: 0, ira: 0, cra: 0 }', 0],
      ['{ ua: 1, ira: 1, cra: 1 }', 1],
    ] as const) {
      const other = await written(`least-${code}.yaml`, text.replace('{ ua: 0.5, ira: 0.5, cra: 0.5 }', least));
      const end = await lethe([...bare, other]);
      expect({ code: end.code, verified: (JSON.parse(end.stdout) as Tuned).verified }).toEqual({ code, verified: [] });
    }
  });
});

interface Tuned {
  readonly campaign: string;
  readonly report: string;
  readonly verified: readonly { readonly passed: boolean; readonly recorded: boolean; readonly report: string }[];
  readonly groups: readonly {
    readonly concepts: readonly string[];
    readonly certainty: string;
    readonly images: number;
    readonly unpaidLayers: { readonly layers: number; readonly images: number; readonly left: number };
    readonly campaign: string;
    readonly winner: TunedMask & { readonly masks: readonly { readonly concept: string; readonly hash: string }[] };
    readonly tradeOff: readonly TunedMask[];
  }[];
}

interface TunedMask {
  readonly mask: string;
  readonly standings: readonly { readonly name: string }[];
}
