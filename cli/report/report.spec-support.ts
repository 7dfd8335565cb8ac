import { encodePng } from '../../worker/diffusion/png.ts';
import type { Rate, ReportData, ReportedConcept } from './report-data.ts';

/** A rate of so many of 80. */
export function rate(hits: number): Rate {
  const share = hits / 80;
  return { share, low: Math.max(0, share - 0.08), high: Math.min(1, share + 0.06), of: 80 };
}

/** A PNG of one colour, 64 × 64. */
export function png(red: number, green: number, blue: number): Uint8Array {
  const plane = 64 * 64;
  const data = new Float32Array(3 * plane);
  for (const [channel, value] of [red, green, blue].entries()) data.fill(value, channel * plane, (channel + 1) * plane);
  return encodePng({ channels: 3, height: 64, width: 64, data });
}

/** A concept with everything a report can say of one. */
export function concept(name: string, kind: ReportedConcept['kind']): ReportedConcept {
  return {
    name,
    kind,
    mask: 'a'.repeat(64),
    verdict: 'passed',
    why: '',
    measures: [
      {
        name: 'UA',
        meaning: 'images of the target that are no longer recognised as it',
        before: rate(1),
        after: rate(78),
        least: 0.95,
      },
    ],
    bystanders: ['dog', 'owl', 'Neon'].map((other, i) => ({
      name: other,
      domain: other === 'Neon' ? 'style' : 'object',
      before: rate(80),
      after: rate(76 - i),
    })),
    worst: { name: 'Neon', domain: 'style', before: rate(80), after: rate(74) },
    distance: 0.0123,
    isVeiled: kind === 'explicit',
    densities: [0, 1].map((i) => ({
      site: 'ffn2' as const,
      name: `up_blocks.${i}.attentions.0.transformer_blocks.0.ff.net.2`,
      pruned: 500 * (i + 1),
      weights: 100_000,
      density: 0.005 * (i + 1),
    })),
    images: [0, 1].map((i) => ({
      prompt: `a picture of a ${name}`,
      seed: String(i),
      before: png(1, 0.4 * i, 0),
      after: png(0, 0.4, 1),
      seenBefore: name,
      seenAfter: 'other',
    })),
  };
}

/** A report with every section. */
export function reportOf(concepts: readonly ReportedConcept[]): ReportData {
  const names = concepts.map(({ name }) => name);
  return {
    title: 'Verification',
    campaign: { name: 'emoji', id: 'emoji-0123456789abcdef' },
    checkpoint: { name: 'emoji-sd', id: `sha256:${'b'.repeat(64)}` },
    made: '2026-11-22T20:00:00Z',
    settings: [{ name: 'command', value: 'lethe verify emoji.yaml' }],
    concepts,
    overlaps: names.flatMap((first, i) =>
      names.slice(i + 1).map((second) => ({ first, second, both: 1234 + i, jaccard: 0.1 + 0.1 * i })),
    ),
    tradeOffs: [
      {
        concepts: names,
        trials: [0, 1, 2, 3].map((i) => ({
          label: `ffn2 0.0${i + 1}, attn-value 0.1, contrast 1.${i}`,
          density: 0.002 * (i + 1),
          erased: rate(60 + 6 * i),
          kept: rate(80 - 5 * i),
          front: i !== 1,
          chosen: i === 2,
        })),
      },
    ],
  };
}
