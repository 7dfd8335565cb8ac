import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { escaped, escapedJson, escapedLines } from './escape.ts';
import { reportFailure } from './failure.ts';
import { logLines } from './log-lines.ts';
import { print, printJson } from './print.ts';
import { table } from './table.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';

/** Clears a screen, returns to the start of a line, ends it, sets a title by C1, turns text around, breaks a line otherwise. */
const hostile = 'a\x1b[2J\rb\nc\x9b31md\u202ee\u2028f\x7fg\u2066h\u200bi\x07j\ud800k';

const isShown = (text: string): boolean => !/(?!\u200c|\u200d|\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text);

describe('escaped', () => {
  it('leaves nothing that a terminal takes as a command, and nothing that ends the line', () => {
    expect(escaped(hostile)).toBe('a\\x1b[2J\\rb\\nc\\x9b31md\\u202ee\\u2028f\\x7fg\\u2066h\\u200bi\\x07j\\ud800k');
    expect(escaped('\u{e0041}\t')).toBe('\\u{e0041}\\t');
  });

  it('leaves text of any script, and emoji that are joined, as they are', () => {
    for (const text of ['Ärger, naïve', '日本語', 'שלום عليكم', 'क्‍ष', '👩‍🚀', 'C:\\models\\new', ''])
      expect(escaped(text)).toBe(text);
  });

  it('leaves nothing of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(isShown(escapedLines(text))).toBe(true);
        expect(escaped(text)).not.toContain('\n');
        expect(JSON.parse(escapedJson({ text }))).toEqual({ text });
        expect(isShown(escapedJson(text))).toBe(true);
      }),
    );
  });
});

describe('what is printed', () => {
  const printed = (work: () => void): string => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    work();
    const text = write.mock.calls.map(([each]) => String(each)).join('');
    write.mockRestore();
    return text;
  };

  it('is escaped whoever calls, and its own lines stand', () => {
    expect(
      printed(() => {
        print(`one ${hostile}\ntwo`);
      }),
    ).toBe(`${escapedLines(`one ${hostile}\ntwo`)}\n`);
    expect(
      isShown(
        printed(() => {
          printJson({ [hostile]: hostile });
        }),
      ),
    ).toBe(true);
  });

  it('keeps a row of a table in its line', () => {
    const text = table(
      [
        ['name', 'why'],
        [hostile, hostile],
        ['b', 'c'],
      ],
      [],
      { columns: undefined, unicode: true },
    );
    expect(text.split('\n')).toHaveLength(3);
    expect(isShown(text)).toBe(true);
  });

  it('keeps what failed elsewhere from making lines of its own', () => {
    const fails = new LetheError('session-failed', { what: hostile, where: hostile, why: hostile, next: hostile });
    const lines = reportFailure(fails).text.split('\n');
    expect(lines.filter((line) => !line.startsWith('    ')).map((line) => line.replace(/ .*/, ''))).toHaveLength(4);
    expect(isShown(lines.join('\n'))).toBe(true);
    const input = new LetheError('campaign-invalid', { what: 'w', why: `1:1 bad\nerror: forged`, next: 'n' });
    expect(reportFailure(input).text).toBe(
      'error: w [campaign-invalid]\n  why: 1:1 bad\n    error: forged\n  what to do: n',
    );
  });

  it('keeps a line of a log in its line', () => {
    const out = new PassThrough();
    logLines(out).write(`${JSON.stringify({ time: 0, level: 30, msg: hostile, name: hostile })}\n`);
    const text = String(out.read());
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    expect(isShown(text)).toBe(true);
  });
});
