import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { startProgress } from './progress.ts';
import { terminalOf } from './terminal.ts';

describe('terminalOf', () => {
  const screen = { isTTY: true, columns: 100 };

  it.each([
    [
      { TERM: 'xterm', LANG: 'en_US.UTF-8' },
      { columns: 100, redraws: true, unicode: true },
    ],
    [
      { TERM: 'dumb', LANG: 'en_US.UTF-8' },
      { columns: 100, redraws: false, unicode: true },
    ],
    [
      { TERM: 'xterm', LANG: 'en_US.UTF-8', LC_ALL: 'C' },
      { columns: 100, redraws: true, unicode: false },
    ],
    [
      { TERM: 'xterm', LANG: 'C', LC_ALL: '', LC_CTYPE: 'C.utf8' },
      { columns: 100, redraws: true, unicode: true },
    ],
    [{ TERM: 'xterm' }, { columns: 100, redraws: true, unicode: false }],
  ])('%j', (environment, expected) => {
    expect(terminalOf(screen, environment, 'linux')).toEqual(expected);
  });

  it('bounds no line that goes to a file, and takes 80 columns where a terminal does not say', () => {
    expect(terminalOf({}, {}, 'linux')).toMatchObject({ columns: undefined, redraws: false });
    expect(terminalOf({ isTTY: true, columns: 0 }, {}, 'linux')).toMatchObject({ columns: 80 });
  });
});

describe('startProgress', () => {
  it('prints plain lines to a pipe, one a tenth', () => {
    const stream = new PassThrough();
    const progress = startProgress(stream as unknown as NodeJS.WriteStream, 'drawing', 40, 'units');
    for (let done = 0; done <= 40; done++) progress.update(done);
    const lines = String(stream.read()).trimEnd().split('\n');
    expect(lines).toHaveLength(11);
    expect([lines[0], lines[10]]).toEqual(['drawing 0/40 units', 'drawing 40/40 units']);
  });
});
