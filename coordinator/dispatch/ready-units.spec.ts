import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SiteName } from '../../shared/model/site.ts';
import type { PlannedUnit } from '../plan/plan.ts';
import type { Settled } from '../store/verdict.ts';
import { unitState } from './ready-units.ts';

const sites: readonly SiteName[] = ['ffn2', 'ffn1'];
const windows = 5;
/** A batch's windows, each going on from the one before. */
const chain = Array.from({ length: windows }, (_, i) => {
  return { hash: `u${i}`, sites, ...(i === 0 ? {} : { predecessor: `u${i - 1}` }) } as PlannedUnit;
});

/** Just what is looked at. */
const verdict = (kind: Settled['kind']) => ({ kind }) as Settled;

describe('unitState', () => {
  it('runs a unit for the sites that lack a result', () => {
    const known = new Map([['u0 ffn2', verdict('result')]]);
    const state = unitState(chain[0]!, (unit, site) => known.get(`${unit} ${site}`));
    expect(state).toEqual({ kind: 'ready', sites: ['ffn1'] });
  });

  it('gives up a window whose predecessor has failed', () => {
    expect(unitState(chain[1]!, (unit) => (unit === 'u0' ? verdict('failed') : undefined))).toEqual({ kind: 'failed' });
  });

  it('runs every window once, in order, whatever is lost on the way', () => {
    // A fleet in which records may be undone for repair, and any ready unit may be the next to end.
    const steps = fc.array(fc.record({ pick: fc.nat(20), repair: fc.integer({ min: 0, max: 9 }) }), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (moves) => {
        const known = new Map<string, Settled>();
        const stateOf = (unit: PlannedUnit) => unitState(unit, (hash, site) => known.get(`${hash} ${site}`));
        for (const { pick, repair } of moves) {
          const ready = chain.flatMap((unit) => {
            const state = stateOf(unit);
            return state.kind === 'ready' ? [{ unit, sites: state.sites }] : [];
          });
          const next = ready[pick % Math.max(1, ready.length)];
          if (next === undefined) break;
          const { predecessor } = next.unit;
          if (predecessor !== undefined)
            for (const site of sites) expect(known.get(`${predecessor} ${site}`)?.kind).toBe('result');
          for (const site of next.sites) known.set(`${next.unit.hash} ${site}`, verdict('result'));
          if (repair === 0) known.delete(`u${pick % windows} ffn1`);
        }
        for (let i = 0; i <= windows; i++)
          for (const unit of chain) {
            const state = stateOf(unit);
            if (state.kind === 'ready')
              for (const site of state.sites) known.set(`${unit.hash} ${site}`, verdict('result'));
          }
        expect(chain.map((unit) => stateOf(unit).kind)).toEqual(new Array(windows).fill('done'));
      }),
    );
  });
});
