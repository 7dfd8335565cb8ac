import { describe, expect, it } from 'vitest';
import type { LetheError } from '../error/lethe-error.ts';
import { parseReplySubject, replyFields } from './lease.ts';

const short = '$JS.ACK.lethe_v1_units.van-gogh__cpu-1__small.2.17.31.1700000000000000000.5';
const long = '$JS.ACK._.Xy12.lethe_v1_units.van-gogh__cpu-1__small.2.17.31.1700000000000000000.5';

describe('a reply subject', () => {
  it.each([short, long, `${long}.r4nd0m`])('tells the delivery: %s', (subject) => {
    expect(parseReplySubject(subject)).toBe(subject);
    expect(replyFields(subject)).toEqual({
      stream: 'lethe_v1_units',
      consumer: 'van-gogh__cpu-1__small',
      deliveries: 2,
      sequence: 17,
      deliverySequence: 31,
      storedAt: 1_700_000_000_000,
      pending: 5,
    });
  });

  it.each([
    '',
    '$JS.API.STREAM.DELETE.lethe_v1_units',
    '$JS.ACK.>',
    '$JS.ACK.lethe_v1_units.*.2.17.31.1700000000000000000.5',
    '$JS.ACK.lethe_v1_units.a.2.17.31.1700000000000000000',
    '$JS.ACK.lethe_v1_units.a.2.x.31.1700000000000000000.5',
    '$JS.ACK.lethe_v1_records.a.2.17.31.1700000000000000000.5',
    '$JS.ACK._.Xy12.OTHER.a.2.17.31.1700000000000000000.5',
    ` ${short}`,
    `${short}\r\nPUB x 0`,
    `${short} reply`,
    `x.${short}`,
  ])('from outside is refused if it is none: %j', (subject) => {
    const invalid = expect.objectContaining({ code: 'lease-invalid' }) as LetheError;
    expect(() => parseReplySubject(subject)).toThrow(invalid);
  });
});
