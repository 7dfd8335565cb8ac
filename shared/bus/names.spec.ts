import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LetheError } from '../error/lethe-error.ts';
import {
  auditSubject,
  campaignConsumers,
  campaignFilter,
  consumerName,
  parseUnitSubject,
  queueFilter,
  records,
  unitSubject,
} from './names.ts';
import { decodeToken, encodeToken } from './token.ts';

const unit = 'a'.repeat(64);
const queue = { campaign: 'van-gogh', numerics: 'cpu-1', memory: 'small' };

describe('names that would change a subject', () => {
  it.each([
    ['a dot', 'a.b'],
    ['a wildcard', '*'],
    ['a tail wildcard', '>'],
    ['another campaign and its tail', 'a.cpu-1.small.>'],
    ['a space, which ends a subject in the protocol', 'a b'],
    ['a line of the protocol', 'x\r\nPUB a.b 0\r\n\r\n'],
    ['the API of JetStream', '$JS.API.STREAM.PURGE.x'],
    ['a path', '../../etc/passwd'],
    ['a Windows path', '..\\x'],
    ['NUL', 'a\0b'],
    ['what looks encoded', 'a_2eb'],
    ['the separator of consumer names', 'a__b'],
    ['a full-width dot', 'a．b'],
    ['an emoji', '🎨'],
    ['other case', 'Van-Gogh'],
  ])('%s', (_, name) => {
    const subject = unitSubject({ ...queue, campaign: name, unit, purpose: 'result' });
    expect(subject).toMatch(/^lethe\.v1\.unit\.[a-z0-9_-]+\.cpu-1\.small\.a{64}$/);
    expect(parseUnitSubject(subject)).toEqual({ ...queue, campaign: name, unit, purpose: 'result' });
    for (const filter of [campaignFilter(name), queueFilter({ ...queue, campaign: name })])
      expect(filter).toMatch(/^lethe\.v1\.unit\.[a-z0-9_-]+(\.cpu-1\.small)?\.>$/);
    expect(consumerName({ ...queue, campaign: name })).toMatch(/^[a-z0-9_-]+__cpu-1__small$/);
    expect(records.attempt(unit, name)).toMatch(/^lethe\.v1\.record\.attempt\.a{64}\.[a-z0-9_-]+$/);
    expect(records.suspension(name)).toMatch(/^lethe\.v1\.record\.suspension\.[a-z0-9_-]+$/);
    expect(auditSubject(name)).toMatch(/^lethe\.v1\.audit\.[a-z0-9_-]+$/);
  });

  it.each([
    ['nothing', ''],
    ['too much', 'x'.repeat(81)],
    ['too much once encoded', 'X'.repeat(27)],
    ['half of a surrogate pair', 'a\ud800'],
  ])('are refused where they cannot be encoded: %s', (_, name) => {
    expect(() => encodeToken(name, 'campaign')).toThrow(
      expect.objectContaining({ code: 'name-invalid' }) as LetheError,
    );
  });

  it.each(['', '*', '>', 'A'.repeat(64), `${'a'.repeat(63)}.`, 'a'.repeat(63), `${'a'.repeat(64)}.x`, 'g'.repeat(64)])(
    'are refused where a hash must stand: %j',
    (hash) => {
      const code = expect.objectContaining({ code: 'name-invalid' }) as LetheError;
      expect(() => records.verdict(hash, 'ffn2')).toThrow(code);
      expect(() => records.sum(unit, hash)).toThrow(code);
      expect(() => unitSubject({ ...queue, unit: hash, purpose: 'result' })).toThrow(code);
    },
  );

  it.each([
    'lethe.v1.unit',
    'lethe.v2.unit.a.b.c.' + unit,
    `lethe.v1.record.a.b.c.${unit}`,
    `lethe.v1.unit.a.b.c.${unit}.check.more`,
    `lethe.v1.unit.a.b.c.${unit}.other`,
    `lethe.v1.unit.a.b.c.${unit.slice(1)}`,
    `lethe.v1.unit.A.b.c.${unit}`,
    `lethe.v1.unit._61.b.c.${unit}`,
    `lethe.v1.unit._ff.b.c.${unit}`,
    `lethe.v1.unit..b.c.${unit}`,
  ])('are not read from a subject that nothing here makes: %s', (subject) => {
    expect(parseUnitSubject(subject)).toBeUndefined();
  });
});

describe('tokens', () => {
  it('say which text they stand for, and differ where texts differ', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 13 }),
        fc.string({ minLength: 1 }),
        (text, other) => {
          let token: string;
          try {
            token = encodeToken(text, 'campaign');
          } catch {
            return;
          }
          expect(token).toMatch(/^[a-z0-9_-]{1,80}$/);
          expect(decodeToken(token)).toBe(text);
          if (decodeToken(other) !== undefined) expect(encodeToken(decodeToken(other) ?? '', 'campaign')).toBe(other);
        },
      ),
    );
  });

  it('never hold the separator of consumer names, so no campaign has the consumers of another', () => {
    const names = ['a', 'a__cpu-1', 'a_', 'a-', 'a__'];
    const consumers = names.map((campaign) => consumerName({ ...queue, campaign }));
    expect(new Set(consumers).size).toBe(names.length);
    for (const campaign of names)
      expect(consumers.filter((consumer) => consumer.startsWith(campaignConsumers(campaign)))).toHaveLength(1);
  });
});
