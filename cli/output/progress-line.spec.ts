import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { duration } from './figures.ts';
import { progressLine } from './progress-line.ts';
import { RemainingTime } from './remaining-time.ts';

const notes = ['2 min 5 s left', '1/4 masks', '12.3 UNet calls/s'];
const state = { title: 'emoji-demo-0123456789ab', done: 2, total: 16, unit: 'units', notes };

describe('progressLine', () => {
  it('fits a wide terminal and a narrow one', () => {
    const at = (columns: number) => progressLine(state, { columns, unicode: true });
    expect(at(120)).toBe(
      'emoji-demo-0123456789ab ███░░░░░░░░░░░░░░░░░░░░░░░░░░ 2/16 units, 2 min 5 s left, 1/4 masks, 12.3 UNet calls/s',
    );
    expect(at(80)).toBe('emoji-demo-0123456… ██░░░░░░░░░░░░░░░░░ 2/16 units, 2 min 5 s left, 1/4 masks');
    expect(at(60)).toBe('emoji-demo-01… █░░░░░░░░░░░░░ 2/16 units, 2 min 5 s left');
  });

  it('has a bar of one length while notes come and go', () => {
    const lengths = [[], notes.slice(0, 1), notes].map(
      (each) => /[█░]+/u.exec(progressLine({ ...state, notes: each }, { columns: 100, unicode: true }))?.[0].length,
    );
    expect(lengths).toEqual([24, 24, 24]);
  });

  it('is ASCII where nothing else is shown', () => {
    expect(progressLine(state, { columns: 60, unicode: false })).toBe(
      'emoji-demo-01~ #------------- 2/16 units, 2 min 5 s left',
    );
  });

  it('stays within 60 to 200 columns, whatever it tells, and never cuts a note', () => {
    const line = fc.record({
      title: fc.string({ unit: 'grapheme', maxLength: 60 }),
      done: fc.nat(99_999),
      total: fc.nat(99_999),
      unit: fc.constantFrom('', 'units'),
      notes: fc.array(
        fc.nat(400_000).map((seconds) => `${duration(seconds)} left`),
        { maxLength: 4 },
      ),
    });
    fc.assert(
      fc.property(line, fc.integer({ min: 60, max: 200 }), fc.boolean(), (each, columns, padded) => {
        const text = progressLine(each, { columns, unicode: true }, padded);
        expect(stringWidth(text)).toBeLessThan(columns);
        expect(text).not.toMatch(/[\p{Cc}]/u);
        const [, told = ''] = /[█░]+ (.*)$/u.exec(text) ?? [];
        const whole = [`${each.done}/${each.total}${each.unit === '' ? '' : ' units'}`, ...each.notes].join(', ');
        expect(whole === told || whole.startsWith(`${told}, `)).toBe(true);
      }),
    );
  });
});

describe('RemainingTime', () => {
  it('follows the speed of late', () => {
    const time = new RemainingTime(100);
    expect(time.at(0, 0)).toBeUndefined();
    expect(time.at(10, 100)).toBe(900);
    for (let i = 1; i <= 30; i++) time.at(10 + i, 100 + i);
    expect(time.at(40, 130)).toBe(60);
  });

  it('says minutes where there are minutes', () => {
    const time = new RemainingTime(16);
    time.at(0, 0);
    expect(duration(time.at(2, 20) ?? 0)).toBe('2 min 20 s');
  });
});
