import { expect, it } from 'vitest';
import { isPlainText } from './plain-text.ts';

it.each(['worker-1', 'Ärger 日本語', '👩‍🚀', '', 'a b'])('%j is plain', (text) => {
  expect(isPlainText(text)).toBe(true);
});

it.each(['a\nb', '\x1b[2J', '\x9b', 'a\u202eb', '\u2028', '\x7f', '\t', '\ud800', '\ufeff', '\u200b'])(
  '%j is not',
  (text) => {
    expect([isPlainText(text), isPlainText(text)]).toEqual([false, false]);
  },
);
