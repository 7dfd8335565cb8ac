import { printable } from '../html.ts';
import { ink } from './chart.ts';

/** Of labels on axes and in legends. */
export const label = { color: ink.text, fontSize: 13 } as const;

/** Lines across the plot. */
export const rule = { lineStyle: { color: ink.line } } as const;

/** An axis of shares in [0, 1], in percent. */
export function shareAxis(name: string) {
  return {
    type: 'value',
    name,
    nameLocation: 'middle',
    nameGap: 28,
    nameTextStyle: label,
    min: 0,
    max: 1,
    interval: 0.25,
    axisLabel: { ...label, formatter: (value: number) => `${Math.round(100 * value)} %` },
    splitLine: rule,
    axisLine: rule,
  } as const;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

function charactersOf(text: string): readonly string[] {
  return Array.from(graphemes.segment(printable(text)), ({ segment }) => segment);
}

/** A name that fits into so many characters; its ends tell layers apart. */
export function shortened(text: string, most: number): string {
  const characters = charactersOf(text);
  if (characters.length <= most) return characters.join('');
  const head = Math.ceil((most - 1) / 2);
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - (most - 1 - head)).join('')}`;
}

/** Pixels that labels beside a chart take: the longest of them, and no more than `most` characters. */
export function labelWidth(names: readonly string[], most: number): number {
  const longest = Math.max(0, ...names.map((name) => charactersOf(name).length));
  return 7.5 * Math.min(longest, most) + 20;
}
