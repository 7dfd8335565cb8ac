import type { z } from 'zod';
import { fillTemplate } from '../../shared/verification/prompt-template.ts';
import type { Labels } from '../../shared/verification/test-image.ts';
import type { promptEntry } from './campaign-parts.ts';

/** A prompt as the file has it: itself, with how often it counts, or a text for every combination of words. */
export type PromptEntry = z.infer<typeof promptEntry>;

/** At most so many prompts in a list, with multiplicity: beyond, a count is a slip. */
export const maxPrompts = 200_000;

/** A list written out: a prompt that counts three times is there three times. */
export function expandPrompts(entries: readonly PromptEntry[]): readonly string[] {
  return entries.flatMap((entry) => {
    if (typeof entry === 'string') return [entry];
    if ('each' in entry) return everyCombination(entry.of).map((words) => fillTemplate(entry.each, words, {}));
    return Array.from({ length: entry.count }, () => entry.prompt);
  });
}

/** One word of each list, in every combination; the last list's words change first. */
function everyCombination(lists: Readonly<Record<string, readonly string[]>>): readonly Labels[] {
  return Object.entries(lists).reduce<readonly Labels[]>(
    (found, [place, words]) => found.flatMap((labels) => words.map((word) => ({ ...labels, [place]: word }))),
    [{}],
  );
}

/** Prompts in a list, with multiplicity, without writing it out. */
export function promptCount(entries: readonly PromptEntry[]): number {
  const countOf = (entry: PromptEntry): number => {
    if (typeof entry === 'string') return 1;
    if ('each' in entry) return Object.values(entry.of).reduce((product, words) => product * words.length, 1);
    return entry.count;
  };
  return entries.reduce((sum, entry) => sum + countOf(entry), 0);
}

/** A thing in a style: the thing where the phrase has `{}`, else before the phrase. */
export function inStyle(thing: string, phrase: string): string {
  return phrase.includes('{}') ? phrase.replaceAll('{}', () => thing) : `${thing} ${phrase}`;
}
