import { expect } from 'vitest';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Campaign } from './campaign.ts';
import { parseCampaign } from './parse-campaign.ts';

export const parse = (text: string): Campaign => parseCampaign(text, 'campaign.yaml');

/** The lines of a refusal; none if the text is read. */
export function problems(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    expect(error).toBeInstanceOf(LetheError);
    const { code, where, why, isInput } = error as LetheError;
    expect([code, where, isInput]).toEqual(['campaign-invalid', 'campaign.yaml', true]);
    return why.split('\n');
  }
  return [];
}

/** A campaign that says no more than it must. */
export const minimal = `name: demo
concepts:
  - { name: Neon, kind: style, things: [a cat, a dog], phrase: in the style of Neon }
`;
