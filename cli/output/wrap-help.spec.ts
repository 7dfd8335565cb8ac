import { describe, expect, it } from 'vitest';
import { wrapHelp } from './wrap-help.ts';

const long = `
Starts a fleet on this machine for the run if there is none. The same command goes on where an earlier one ended:
what is stored is not run again.

Examples:
  $ lethe status
  $ lethe generate --prompt "a picture of a red apple in the style of Neon" --seed 7 --out apple.png \\
      --checkpoint ./stable-diffusion-v1-5 -H 'content-type: application/json'
`;

describe('wrapHelp', () => {
  it.each([60, 72, 80, 100, 200])('fits %i columns, and loses no word', (columns) => {
    const wrapped = wrapHelp(long, { columns });
    for (const line of wrapped.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
    const words = (text: string) => text.replaceAll(' \\\n', ' ').split(/\s+/);
    expect(words(wrapped)).toEqual(words(long));
  });

  it('breaks an example where a shell goes on: after a backslash, and between an option and its value only if they do not fit', () => {
    expect(wrapHelp(long, { columns: 60 })).toContain(`
  $ lethe status
  $ lethe generate --prompt \\
      "a picture of a red apple in the style of Neon" \\
      --seed 7 --out apple.png \\
      --checkpoint ./stable-diffusion-v1-5 \\
      -H 'content-type: application/json'
`);
  });

  it('fills paragraphs anew and keeps what is indented', () => {
    expect(wrapHelp('one\ntwo\n\n  kept   as it is\nthree', { columns: 80 })).toBe(
      'one two\n\n  kept   as it is\nthree',
    );
  });
});
