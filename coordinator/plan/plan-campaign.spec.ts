import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unitHash } from '../../shared/unit/unit.ts';
import type { Campaign, SiteMask } from './campaign.ts';
import { anyCampaign, campaign, concept, facts, siteMask } from './campaigns.spec-support.ts';
import { cohortOf, sumKey, trajectoryId } from './cohort.ts';
import { planCampaign } from './plan-campaign.ts';
import type { Plan, PlannedUnit } from './plan.ts';

const plan = (of: Campaign): Plan => planCampaign(of, facts, 'cpu');
const things = Array.from({ length: 50 }, (_, i) => `thing ${i}`);
const styled = (style: string): string[] => things.map((thing) => `${thing} in the style of ${style}`);
const hashes = ({ units }: Plan): ReadonlySet<string> => new Set(units.map(({ hash }) => hash));

/** Every step of every trajectory, as often as some unit has it. */
function steps(units: readonly PlannedUnit[]): string[] {
  return units.flatMap(({ unit }) =>
    unit.kind !== 'denoise'
      ? []
      : unit.trajectories.flatMap((each) =>
          Array.from(
            { length: unit.window.to - unit.window.from },
            (_, i) => `${trajectoryId(each)} ${unit.window.from + i}`,
          ),
        ),
  );
}

/** Entries of a cohort as its units have them: what is summed, by prompt and seed, at the first window. */
function summed({ units }: Plan, cohort: string, kind: 'denoise' | 'encode'): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { unit, members, predecessor } of units) {
    if (unit.kind !== kind || predecessor !== undefined) continue;
    for (const member of members.filter((each) => each.cohort === cohort)) {
      const id = unit.kind === 'denoise' ? trajectoryId(unit.trajectories[member.item]!) : unit.prompts[member.item]!;
      counts.set(id, (counts.get(id) ?? 0) + member.count);
    }
  }
  return counts;
}

const runs = (site: string): 'denoise' | 'encode' => (site.startsWith('ffn') ? 'denoise' : 'encode');

describe('planCampaign', () => {
  it('is the same whatever the order of concepts and of prompts', () => {
    fc.assert(
      fc.property(anyCampaign, fc.infiniteStream(fc.nat()), (one, random) => {
        const shuffled = <T>(values: readonly T[]): T[] =>
          values
            .map((value) => ({ value, place: random.next().value as number }))
            .sort((a, b) => a.place - b.place)
            .map(({ value }) => value);
        const concepts = shuffled(one.concepts).map((each) => ({
          ...each,
          target: shuffled(each.target),
          base: shuffled(each.base),
        }));
        expect(plan({ ...one, concepts, retain: shuffled(one.retain) })).toEqual(plan(one));
      }),
    );
  });

  it('runs every step below tau of every distinct trajectory once, for any window and batch', () => {
    fc.assert(
      fc.property(anyCampaign, (one) => {
        const { cohorts, units, tau, batch } = plan(one);
        const expected = new Set(
          cohorts
            .filter(({ sites }) => sites.some((site) => runs(site) === 'denoise'))
            .flatMap(({ entries }) =>
              entries.flatMap((each) => Array.from({ length: tau }, (_, i) => `${trajectoryId(each)} ${i}`)),
            ),
        );
        expect(steps(units).sort()).toEqual([...expected].sort());
        for (const { unit } of units) {
          if (unit.kind === 'denoise') expect(unit.trajectories.length).toBeLessThanOrEqual(batch);
        }
      }),
    );
  });

  it('gives every cohort its trajectories as often as they are listed', () => {
    fc.assert(
      fc.property(anyCampaign, (one) => {
        const planned = plan(one);
        for (const { id, entries, sites, size } of planned.cohorts) {
          if (sites.some((site) => runs(site) === 'denoise'))
            expect(summed(planned, id, 'denoise')).toEqual(
              new Map(entries.map((each) => [trajectoryId(each), each.count])),
            );
          if (sites.some((site) => runs(site) === 'encode')) {
            const counts = summed(planned, id, 'encode');
            // The unconditional half of every call is the empty prompt.
            expect(counts.get('')).toBe(size);
            expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(2 * size);
          }
        }
        const lists = one.concepts.flatMap(({ target, base }) => {
          const retained = one.retain.filter(({ prompt }) => target.every((each) => each.prompt !== prompt));
          return [target.length, base.length, retained.length];
        });
        for (const { size, entries } of planned.cohorts) {
          expect(entries.reduce((sum, { count }) => sum + count, 0)).toBe(size);
          expect(lists).toContain(size);
        }
      }),
    );
  });

  it('names each unit by its hash, once, after its predecessor', () => {
    fc.assert(
      fc.property(anyCampaign, (one) => {
        const seen = new Map<string, PlannedUnit>();
        for (const each of plan(one).units) {
          expect(each.hash).toBe(unitHash(each.unit));
          expect(seen.has(each.hash)).toBe(false);
          seen.set(each.hash, each);
          expect(each.members.length).toBeGreaterThan(0);
          expect(each.sites.length).toBeGreaterThan(0);
          if (each.unit.kind !== 'denoise' || each.unit.window.from === 0) {
            expect(each.predecessor).toBeUndefined();
            continue;
          }
          const before = seen.get(each.predecessor ?? '')?.unit;
          expect(before).toEqual({
            ...each.unit,
            window: { from: each.unit.window.from - one.window, to: each.unit.window.from },
          });
        }
      }),
    );
  });

  it('asks a unit for the sites of its cohorts and for no others', () => {
    fc.assert(
      fc.property(anyCampaign, (one) => {
        const { units, cohorts } = plan(one);
        for (const { sites, members, unit } of units) {
          const wanted = new Set(
            cohorts.filter(({ id }) => members.some(({ cohort }) => cohort === id)).flatMap((cohort) => cohort.sites),
          );
          expect(new Set(sites)).toEqual(new Set([...wanted].filter((site) => runs(site) === unit.kind)));
        }
      }),
    );
  });

  it('keeps all units when a concept is added that shares a base or nothing', () => {
    const [neon, ink, cat] = [
      concept('Neon', styled('Neon'), things),
      concept('Ink', styled('Ink'), things),
      concept('cat', ['a cat'], ['a dog']),
    ];
    const before = hashes(plan(campaign([neon])));
    for (const added of [ink, cat]) {
      const after = hashes(plan(campaign([neon, added])));
      expect([...before].filter((hash) => !after.has(hash))).toEqual([]);
    }
  });

  it('keeps the batches of a cohort that an added, larger one does not meet', () => {
    const before = plan(campaign([concept('a', styled('Neon'), things)]));
    const retain = [...things.slice(0, 3), ...Array.from({ length: 60 }, (_, i) => `other ${i}`)];
    const after = hashes(
      plan(
        campaign([
          concept('a', styled('Neon'), things),
          concept('b', styled('Ink').concat(styled('Fluent')).slice(0, 63), retain),
        ]),
      ),
    );
    const lost = before.units.filter(({ hash }) => !after.has(hash));
    const met = before.units.filter(
      ({ unit }) => unit.kind === 'denoise' && unit.trajectories.some(({ prompt }) => retain.includes(prompt)),
    );
    expect(lost).toEqual(met);
    expect(met.length).toBeLessThan(before.units.length / 2);
  });

  it('has no name of a campaign or a concept in any hash', () => {
    const one = plan(campaign([concept('Neon', styled('Neon'), things)]));
    const other = plan(campaign([concept('Forgotten', styled('Neon'), things)], { name: 'other' }));
    expect(hashes(other)).toEqual(hashes(one));
    expect(other.cohorts).toEqual(one.cohorts);
  });

  it('names neither seed, sampling nor window in units of the text encoder', () => {
    const sites = [siteMask('attn-value'), siteMask('text')];
    const one = campaign([concept('Neon', styled('Neon'), things, sites)]);
    const seeded = one.concepts.map((each) => ({
      ...each,
      target: each.target.map((key, i) => ({ ...key, seed: String(i) })),
    }));
    const changed = { ...one, concepts: seeded, tau: 5, window: 1, batch: 3 };
    const sampled = { ...facts, sampling: { ...facts.sampling, guidance: 2.5, steps: 20 } };
    expect(hashes(planCampaign(changed, sampled, 'cpu'))).toEqual(hashes(plan(one)));
  });

  it('does not count the empty prompt where there is no guidance', () => {
    const one = campaign([concept('Neon', styled('Neon'), things, [siteMask('text')])]);
    const unguided = { ...facts, sampling: { ...facts.sampling, guidance: 1 } };
    const { units } = planCampaign(one, unguided, 'cpu');
    expect(units.some(({ unit }) => unit.kind === 'encode' && unit.prompts.includes(''))).toBe(false);
  });

  it('compares contrast with the retain list and runs no base that nothing compares with', () => {
    const one = campaign([concept('cat', ['a cat'], ['a dog'], [siteMask('ffn2', 'contrast')])], {
      retain: [{ prompt: 'a fox', seed: '0' }],
    });
    const { concepts, cohorts, units } = plan(one);
    const [cat] = concepts;
    expect(cat?.sites[0]?.against).toBe(cohortOf(one.retain, facts.sampling).id);
    expect(cohorts.find(({ id }) => id === cat?.base)?.sites).toEqual([]);
    expect(steps(units).length).toBe(2 * 10);
  });

  it('leaves out of the retain list, for each concept, what names it', () => {
    const retain = ['a cat', 'a fox', 'a dog'].map((prompt) => ({ prompt, seed: '0' }));
    const contrast = [siteMask('ffn2', 'contrast')];
    const both = campaign(
      [concept('cat', ['a cat'], ['a bus'], contrast), concept('dog', ['a dog'], ['a bus'], contrast)],
      {
        retain,
      },
    );
    const { concepts } = plan(both);
    const kept = (...names: readonly string[]) =>
      cohortOf(
        retain.filter(({ prompt }) => names.includes(prompt)),
        facts.sampling,
      ).id;
    expect(concepts.map(({ name, sites }) => [name, sites[0]?.against])).toEqual([
      ['cat', kept('a fox', 'a dog')],
      ['dog', kept('a cat', 'a fox')],
    ]);
    const none = campaign([concept('cat', ['a cat'], ['a bus'], contrast)], { retain: retain.slice(0, 1) });
    expect(() => plan(none)).toThrow(expect.objectContaining({ code: 'campaign-invalid', where: 'retain' }));
    // What compares with its base alone has nothing to do with the list.
    const unused = { ...none, concepts: [concept('cat', ['a cat'], ['a bus'])] };
    expect(plan(unused).cohorts).toHaveLength(2);
  });

  it('asks for no other units where a concept names layers, and refuses layers that the checkpoint has not', () => {
    const named = (layers: SiteMask['layers']): Campaign =>
      campaign([concept('a', ['a'], ['b'], [{ ...siteMask('ffn2'), ...(layers === undefined ? {} : { layers }) }])]);
    expect(plan(named({ 'a.ff.net.2': 0.1 })).units).toEqual(plan(named(undefined)).units);
    // Also one that every object has.
    for (const unknown of ['a.attn2.to_k', 'constructor'])
      expect(() => plan(named({ [unknown]: 0.1 }))).toThrow(
        expect.objectContaining({
          code: 'campaign-invalid',
          where: 'mask.sites.ffn2.layers of a',
          why: `the checkpoint has no layer "${unknown}" of ffn2`,
          next: 'choose among a.ff.net.2',
        }),
      );
  });

  it('refuses sites that the checkpoint lacks and a tau beyond its calls', () => {
    const one = campaign([concept('a', ['a'], ['b'], [siteMask('text')])]);
    const lacking = { ...facts, sites: facts.sites.filter(({ site }) => site !== 'text') };
    expect(() => planCampaign(one, lacking, 'cpu')).toThrow(
      expect.objectContaining({ code: 'campaign-invalid', where: 'mask.sites' }),
    );
    const long = campaign([concept('a', ['a'], ['b'])], { tau: 52, window: 52 });
    expect(() => plan(long)).toThrow(expect.objectContaining({ code: 'campaign-invalid', where: 'tau' }));
    expect(plan({ ...long, tau: 51, window: 51 }).units.length).toBe(2);
  });
});

describe('sumKey', () => {
  it('changes with all that the sum depends on', () => {
    const origin = { checkpoint: 'c', numerics: 'n', graph: 'g' };
    const keys = [
      sumKey(origin, 'a', 'ffn2', 10),
      sumKey({ ...origin, checkpoint: 'd' }, 'a', 'ffn2', 10),
      sumKey({ ...origin, numerics: 'm' }, 'a', 'ffn2', 10),
      sumKey({ ...origin, graph: 'h' }, 'a', 'ffn2', 10),
      sumKey(origin, 'b', 'ffn2', 10),
      sumKey(origin, 'a', 'ffn1', 10),
      sumKey(origin, 'a', 'ffn2', 9),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
