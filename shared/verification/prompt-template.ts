import type { Labels } from './test-image.ts';

/** `{style}`, or `{a object}`: with its article. */
const placeholder = /\{(a )?([^{}\s]+)\}/g;

/** Words that begin with a vowel's letter and not with its sound, or the other way round, are given as phrases. */
const vowel = /^[aeiou]/i;

/** Heads that a template has a place for, in order, each once. */
export function headsOf(template: string): readonly string[] {
  return [...new Set([...template.matchAll(placeholder)].map(([, , head = '']) => head))];
}

/** Whether every brace of a template belongs to a placeholder. */
export function isTemplate(template: string): boolean {
  return !/[{}]/.test(template.replace(placeholder, ''));
}

/**
 * The prompt for some labels: `a picture of {a object} in the style of {style}` with owl and Ink is `a picture of an owl in
 * the style of Ink`.
 *
 * @param phrases what stands for a label instead of itself, by head and label; with `{a head}` it is taken as it is
 */
export function fillTemplate(
  template: string,
  labels: Labels,
  phrases: Readonly<Record<string, Readonly<Record<string, string>>>>,
): string {
  return template.replace(placeholder, (_, article: string | undefined, head: string) => {
    const label = labels[head] ?? '';
    const phrase = phrases[head]?.[label];
    if (phrase !== undefined || article === undefined) return phrase ?? label;
    return `${vowel.test(label) ? 'an' : 'a'} ${label}`;
  });
}
