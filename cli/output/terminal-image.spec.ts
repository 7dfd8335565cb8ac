import { describe, expect, it } from 'vitest';
import { terminalImage } from './terminal-image.ts';

/** Red above, blue below. */
const image = (height: number, width: number) => {
  const plane = height * width;
  const data = new Float32Array(3 * plane);
  data.fill(1, 0, plane / 2);
  data.fill(1, 2 * plane + plane / 2);
  return { channels: 3, height, width, data };
};

describe('terminalImage', () => {
  it('shows two pixels a character, one above the other', () => {
    const cell = '\x1b[38;2;255;0;0;48;2;0;0;255m▀';
    expect(terminalImage(image(2, 3), 80, 24)).toEqual([`${cell.repeat(3)}\x1b[0m`]);
  });

  it('makes a wide image smaller, and keeps its shape', () => {
    const lines = terminalImage(image(64, 64), 8, 8);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe(`${'\x1b[38;5;196;48;5;196m▀'.repeat(8)}\x1b[0m`);
    expect(lines[3]).toBe(`${'\x1b[38;5;21;48;5;21m▀'.repeat(8)}\x1b[0m`);
  });
});
