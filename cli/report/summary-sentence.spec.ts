import { describe, expect, it } from 'vitest';
import type { Bystander, Rate, ReportedConcept } from './report-data.ts';
import { summarySentence } from './summary-sentence.ts';

const rate = (share: number, of: number, low = 0): Rate => ({ share, low, high: 1, of });
const other = (name: string, before: number, after: number): Bystander => ({
  name,
  domain: 'object',
  before: rate(before, 4),
  after: rate(after, 4),
});
const neon = (bystanders: readonly Bystander[]): ReportedConcept => ({
  name: 'Neon',
  kind: 'style',
  verdict: 'passed',
  why: '',
  measures: [{ name: 'UA', meaning: '', after: rate(1, 64, 0.9434) }],
  bystanders,
  densities: [],
  isVeiled: false,
  images: [],
});

describe('summarySentence', () => {
  it('says from how many images a concept is gone, and what else is lost, the worst first', () => {
    const others = [other('owl', 1, 0.25), other('bus', 1, 1), other('hammer', 1, 0), other('absent', 0, 0)];
    expect(summarySentence(neon(others))).toBe(
      'Neon is gone from 64 of 64 test images, at least 94 %; 2 of 3 other things are lost: hammer, owl.',
    );
  });

  it('says that nothing is lost, and names no more than five', () => {
    expect(summarySentence(neon([other('bus', 1, 0.5)]))).toContain('none of 1 other things is lost');
    const many = Array.from({ length: 7 }, (_, i) => other(`thing ${i}`, 1, 0));
    expect(summarySentence(neon(many))).toMatch(/7 of 7 other things are lost: thing 0, .* and 2 more\.$/);
  });

  it('is empty where no image of it was counted', () => {
    expect(summarySentence({ ...neon([]), measures: [] })).toBe('');
  });
});
