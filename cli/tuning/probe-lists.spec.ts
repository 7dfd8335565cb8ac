import { describe, expect, it } from 'vitest';
import type { Campaign } from '../../coordinator/plan/campaign.ts';
import { parseCampaign } from '../../coordinator/plan/parse-campaign.ts';
import { gridOf } from '../../shared/tuning/grid.ts';
import { limits } from '../../shared/tuning/tuning.spec-support.ts';
import type { TrajectoryKey } from '../../shared/unit/unit.ts';
import { refuseOverlap } from '../verification/refuse-overlap.ts';
import { testPlan, type Variant } from '../verification/test-plan.ts';
import { probeListsOf, tunedTrajectories } from './probe-lists.ts';
import { winnerCampaign } from './variant-campaign.ts';

const heads = { object: ['cat', 'dog', 'owl', 'violin'], style: ['Ink', 'Neon'], sex: ['man', 'woman'] };
const text = `name: emoji
concepts:
  - { name: violin, kind: object, target: [a violin], base: [a dog] }
  - { name: cat, kind: object, target: [a cat], base: [a dog] }
  - { name: owl, kind: object, target: [an owl], base: [a dog] }
verify:
  prompts: ['{a object}, {style}']
  images: 12
  thresholds: { ua: 0.5 }
tune:
  images: 8
  seed: 7000
  together: [[cat, violin]]
`;
const campaign = parseCampaign(text, 'c.yaml');

const keyOf = ({ prompt, seed }: TrajectoryKey): string => `${seed} ${prompt}`;
const groups = [['cat', 'violin'], ['owl'], ['cat'], ['violin']];
const variantOf = (concepts: readonly string[]): Variant => ({ title: '', masks: [], concepts });

function tuned(of: Campaign): ReadonlySet<string> {
  return new Set(tunedTrajectories(of, heads, 'c.yaml').trajectories.map(keyOf));
}

function probesOf(group: readonly string[]): readonly string[] {
  const { tune } = campaign;
  if (tune === undefined) throw new Error('it has the section');
  const { targets, rest } = probeListsOf(campaign, tune, group, heads, 'c.yaml');
  return [...targets.flatMap(({ probes }) => probes), ...rest].map(keyOf);
}

describe('tunedTrajectories', () => {
  it('are all that tuning of any group looks at', () => {
    expect(new Set(groups.flatMap(probesOf))).toEqual(tuned(campaign));
  });

  it("are in the winner's campaign those of its group", () => {
    const [candidate] = gridOf(limits, ['cat', 'violin']);
    if (candidate === undefined || campaign.tune === undefined) throw new Error('there is one');
    const winner = parseCampaign(winnerCampaign(text, candidate, undefined, campaign.tune), 'winner.yaml');
    expect(tuned(winner)).toEqual(new Set([['cat', 'violin'], ['cat'], ['violin']].flatMap(probesOf)));
  });

  it('are refused as tests, and the prompts alone are not', () => {
    const refused = (seed: string, images = 12): void => {
      const verify = campaign.verify && { ...campaign.verify, seed, images };
      const plan = testPlan(
        { ...campaign, ...(verify === undefined ? {} : { verify }) },
        heads,
        [variantOf(['cat'])],
        'c',
      );
      refuseOverlap(plan, [tunedTrajectories(campaign, heads, 'c')], 'c');
    };
    expect(() => {
      refused('7000');
    }).toThrow(/tuning has used/);
    expect(() => {
      refused('1000');
    }).not.toThrow();
  });

  it('are none without the section', () => {
    expect(tuned(parseCampaign(text.replace(/tune:[\s\S]*/, ''), 'c.yaml')).size).toBe(0);
  });
});

describe('probeListsOf', () => {
  it('says what to do with a concept that has sides', () => {
    const sided = text.replace(
      '{ name: owl, kind: object, target: [an owl], base: [a dog] }',
      "{ name: owl, kind: gender, target: [a], base: [b], seeds: [0], verify: { head: sex, sides: [man, woman], prompts: ['a farmer'], thresholds: { balance: 0.4 } } }",
    );
    const { tune, ...rest } = parseCampaign(sided, 'c.yaml');
    if (tune === undefined) throw new Error('it has the section');
    let found: unknown;
    try {
      probeListsOf({ ...rest, tune }, tune, ['owl'], heads, 'c.yaml');
    } catch (error) {
      found = error;
    }
    expect(found).toMatchObject({
      code: 'campaign-invalid',
      why: expect.stringContaining('it has sides') as string,
      next: expect.stringMatching(/a copy of the campaign without it; .*`lethe verify`/) as string,
    });
  });
});
