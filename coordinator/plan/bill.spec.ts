import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { billOf, defaultRates } from './bill.ts';
import { anyCampaign, campaign, concept, facts, siteMask } from './campaigns.spec-support.ts';
import { planCampaign } from './plan-campaign.ts';
import type { Plan } from './plan.ts';

const things = Array.from({ length: 50 }, (_, i) => `thing ${i}`);
const style = (name: string, base = things, sites = [siteMask('ffn2')]) =>
  concept(
    name,
    things.map((thing) => `${thing} in the style of ${name}`),
    base,
    sites,
  );
const nothing = (): boolean => false;
const bill = (plan: Plan, isStored: Parameters<typeof billOf>[1] = nothing) =>
  billOf(plan, isStored, defaultRates(plan, 1));
const plan = (...args: Parameters<typeof campaign>): Plan => planCampaign(campaign(...args), facts, 'cpu');

describe('billOf', () => {
  it('ten styles over one base: 9.3 times fewer UNet calls than the reference, 5.1 times one by one', () => {
    const styles = Array.from({ length: 10 }, (_, i) => style(`style ${i}`));
    const shared = bill(plan(styles));
    expect(shared.unetCalls.total).toBe((10 + 1) * 50 * 10);
    expect(shared.reference.unetCalls).toBe(10 * 2 * 50 * 51);
    expect(shared.reference.ratio?.toFixed(1)).toBe('9.3');
    expect(bill(plan(styles.slice(0, 1))).reference.ratio?.toFixed(1)).toBe('5.1');
    // Bases of their own: nothing is shared.
    const apart = styles.map(({ name }) =>
      style(
        name,
        things.map((thing) => `${thing}, ${name}`),
      ),
    );
    expect(bill(plan(apart)).reference.ratio?.toFixed(1)).toBe('5.1');
  });

  it('makes no UNet call for attention and text sites', () => {
    const sites = [siteMask('attn-key'), siteMask('attn-value'), siteMask('text')];
    const { unetCalls, textEncoderPasses, reference } = bill(plan([style('Neon', things, sites)]));
    expect(unetCalls.total).toBe(0);
    expect(textEncoderPasses.total).toBe(50 + 50 + 1);
    expect(reference.ratio).toBeUndefined();
  });

  it('counts nothing that is stored, by unit and site', () => {
    const planned = plan([style('Neon', things, [siteMask('ffn2'), siteMask('ffn1')])]);
    const all = bill(planned);
    const half = bill(planned, (_, site) => site === 'ffn2');
    // The other site needs the same calls again; what is sent is its own statistics alone.
    expect(half.unetCalls).toEqual(all.unetCalls);
    expect(half.partialBytes.run).toBe(4 * 4 * 100 * 10);
    expect(all.partialBytes.run).toBe(4 * (8 + 4) * 100 * 10);
    const none = bill(planned, () => true);
    expect(none.units).toEqual({ total: all.units.total, stored: all.units.total, run: 0 });
    expect([none.unetCalls.run, none.textEncoderPasses.run, none.partialBytes.run, none.seconds]).toEqual([0, 0, 0, 0]);
  });

  it('needs no call for another skill ratio once the first sweep is stored', () => {
    const first = new Set(
      plan([style('Neon')]).units.flatMap(({ hash, sites }) => sites.map((site) => `${hash} ${site}`)),
    );
    const again = plan([style('Neon', things, [{ ...siteMask('ffn2', 'contrast'), skillRatio: 0.2 }])]);
    expect(bill(again, (hash, site) => first.has(`${hash} ${site}`)).unetCalls.run).toBe(0);
  });

  it('adds up, whatever is stored', () => {
    fc.assert(
      fc.property(anyCampaign, fc.nat(), (one, salt) => {
        const planned = planCampaign(one, facts, 'cpu');
        const isStored = (hash: string): boolean => (parseInt(hash.slice(0, 6), 16) ^ salt) % 3 === 0;
        const { units, unetCalls, unetBatches, textEncoderPasses, partialBytes } = bill(planned, isStored);
        for (const { total, stored, run } of [units, unetCalls, unetBatches, textEncoderPasses, partialBytes]) {
          expect(stored + run).toBe(total);
          expect(Math.min(stored, run)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
