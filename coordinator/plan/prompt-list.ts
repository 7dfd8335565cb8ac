import type { z } from 'zod';
import type { promptEntry } from './campaign-parts.ts';

/** A prompt as the file has it: itself, or with how often it counts. */
export type PromptEntry = z.infer<typeof promptEntry>;

/** At most so many prompts in a list, with multiplicity: beyond, a count is a slip. */
export const maxPrompts = 200_000;

/** A list written out: a prompt that counts three times is there three times. */
export function expandPrompts(entries: readonly PromptEntry[]): readonly string[] {
  return entries.flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Array.from({ length: entry.count }, () => entry.prompt),
  );
}

/** Prompts in a list, with multiplicity, without writing it out. */
export function promptCount(entries: readonly PromptEntry[]): number {
  return entries.reduce((sum, entry) => sum + (typeof entry === 'string' ? 1 : entry.count), 0);
}

/** A thing in a style: the thing where the phrase has `{}`, else before the phrase. */
export function inStyle(thing: string, phrase: string): string {
  return phrase.includes('{}') ? phrase.replaceAll('{}', () => thing) : `${thing} ${phrase}`;
}
