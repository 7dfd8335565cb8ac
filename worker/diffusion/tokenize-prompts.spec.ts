import { expect, it } from 'vitest';
import { tokenizePrompts } from './tokenize-prompts.ts';

it('reads a text once, and lets the thread do other things between two', async () => {
  const order: string[] = [];
  const encode = (text: string) => {
    order.push(text);
    setImmediate(() => order.push('another'));
    return { ids: Int32Array.of(), length: 0, truncated: text };
  };
  const made = await tokenizePrompts({ encode }, ['a', 'a', 'b', 'a', 'c']);
  expect(made.map(({ truncated }) => truncated)).toEqual(['a', 'a', 'b', 'a', 'c']);
  expect(order).toEqual(['a', 'another', 'b', 'another', 'c']);
});
