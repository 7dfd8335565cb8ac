import fc from 'fast-check';
import type { SiteName } from '../../shared/model/site.ts';
import type { TrajectoryKey } from '../../shared/unit/unit.ts';
import type { Campaign, Concept, SiteMask } from './campaign.ts';
import type { CheckpointFacts, PlannedLayer } from './checkpoint-facts.ts';

const layer = (name: string, inner: number, rows: number): PlannedLayer => ({ name, out: 4, in: inner, rows });
const cost = { flops: 8.5e10, weightBytes: 2 ** 20, peakBytes: 2 ** 20 };

/** A checkpoint with one layer a site and a UNet of one second a call. */
export const facts: CheckpointFacts = {
  checkpoint: 'sha256:00',
  sampling: { scheduler: 'pndm', steps: 50, guidance: 7.5, height: 16, width: 16 },
  calls: 51,
  sites: [
    { site: 'ffn2', runs: 'denoise', layers: [layer('a.ff.net.2', 8, 512)] },
    { site: 'ffn1', runs: 'denoise', layers: [layer('a.ff.net.0.proj', 4, 512)] },
    { site: 'attn-key', runs: 'encode', layers: [layer('a.attn2.to_k', 6, 154)] },
    { site: 'attn-value', runs: 'encode', layers: [layer('a.attn2.to_v', 6, 154)] },
    { site: 'text', runs: 'encode', layers: [layer('t.mlp.fc2', 12, 154)] },
  ],
  unet: cost,
  textEncoder: { ...cost, flops: 8.5e8 },
};

export const siteMask = (site: SiteName, selection: SiteMask['selection'] = 'reference'): SiteMask => ({
  site,
  skillRatio: 0.01,
  selection,
  margin: 1,
});

/** A concept that its campaign says nothing of verifying. */
const unverified: Concept['verify'] = { sides: [], thresholds: {}, together: {}, alternatives: [] };

export const concept = (
  name: string,
  target: readonly string[],
  base: readonly string[],
  sites: readonly SiteMask[] = [siteMask('ffn2')],
): Concept => ({
  name,
  kind: 'style',
  target: target.map((prompt) => ({ prompt, seed: '0' })),
  base: base.map((prompt) => ({ prompt, seed: '0' })),
  mask: { selectRatio: 0, sites },
  verify: unverified,
});

export const campaign = (concepts: readonly Concept[], settings: Partial<Campaign> = {}): Campaign => ({
  name: 'demo',
  sampling: { steps: 50, guidance: 7.5 },
  tau: 10,
  window: 10,
  batch: 8,
  retain: [],
  concepts,
  ...settings,
});

const key = fc.record({
  prompt: fc.integer({ min: 0, max: 14 }).map((i) => `prompt ${i}`),
  seed: fc.constantFrom('0', '1', '10', '9'),
});

const anySites: fc.Arbitrary<readonly SiteMask[]> = fc
  .subarray<SiteName>(['ffn2', 'ffn1', 'attn-key', 'attn-value', 'text'], { minLength: 1 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) => fc.constantFrom('reference' as const, 'contrast' as const).map((s) => siteMask(name, s))),
    ),
  );

/** Concepts whose few prompts meet often, within lists and between them. */
export const anyConcepts: fc.Arbitrary<readonly Concept[]> = fc
  .array(
    fc.record({
      pairs: fc.array(fc.tuple(key, key), { minLength: 1, maxLength: 12 }),
      sites: anySites,
      selectRatio: fc.constantFrom(0, 0.5),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((all) =>
    all.map(({ pairs, sites, selectRatio }, i) => ({
      name: `concept ${i}`,
      kind: 'object',
      target: pairs.map(([target]) => target),
      base: pairs.map(([, base]) => base),
      mask: { sites, selectRatio },
      verify: unverified,
    })),
  );

const unnamed: TrajectoryKey = { prompt: 'what no concept names', seed: '0' };

export const anyCampaign: fc.Arbitrary<Campaign> = fc
  .record({
    concepts: anyConcepts,
    retain: fc.array(key, { maxLength: 10 }),
    tau: fc.constantFrom(1, 3, 10),
    window: fc.constantFrom(1, 3, 5, 10),
    batch: fc.constantFrom(1, 2, 3, 8, 100),
  })
  .map(({ concepts, retain, tau, window, batch }) =>
    // One that no concept names: a list of targets alone is refused.
    campaign(concepts, {
      retain: retain.length === 0 ? [] : [...retain, unnamed],
      tau,
      window: Math.min(window, tau),
      batch,
    }),
  );
