import fc from 'fast-check';
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { FleetKey } from './fleet-key.ts';
import { isSealed, isSealedWith, openBlob, sealBlob } from './seal-blob.ts';

const secret = () => {
  const bytes = randomBytes(32);
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 32), secret: bytes };
};
const fleetKey: FleetKey = { secrets: [secret()] };
const name = `mask/${'a'.repeat(64)}`;

describe('a sealed blob', () => {
  it('opens to what was sealed, and nothing of that can be read in it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        const sealed = sealBlob(Uint8Array.from(bytes), fleetKey, name);
        expect(isSealed(sealed)).toBe(true);
        expect(Buffer.compare(openBlob(sealed, fleetKey, name), bytes)).toBe(0);
        if (bytes.length > 8) expect(Buffer.from(sealed).indexOf(bytes)).toBe(-1);
      }),
    );
  });

  it('never has the same bytes twice: the nonce is drawn', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(Buffer.compare(sealBlob(bytes, fleetKey, name), sealBlob(bytes, fleetKey, name))).not.toBe(0);
  });

  it('is refused with any byte another, cut off anywhere, or under another name', () => {
    const sealed = sealBlob(
      Uint8Array.from({ length: 40 }, (_, i) => i),
      fleetKey,
      name,
    );
    const open = (bytes: Uint8Array, as = name) => openBlob(bytes, fleetKey, as);
    const refused = expect.objectContaining({ code: 'blob-sealed', where: name }) as Error;
    for (let at = 8; at < sealed.length; at += 1) {
      const altered = Uint8Array.from(sealed);
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(() => open(altered), `byte ${at}`).toThrow(refused);
      expect(() => open(sealed.subarray(0, at)), `${at} bytes`).toThrow(refused);
    }
    expect(() => open(sealed, `mask/${'b'.repeat(64)}`)).toThrow(expect.objectContaining({ code: 'blob-sealed' }));
    // Without its magic it is a blob that was never sealed, whose bytes have to be those its name says.
    const headless = sealed.subarray(8);
    expect(open(headless)).toBe(headless);
  });

  it('names what is missing where there is no key for it', () => {
    const sealed = sealBlob(Uint8Array.of(1), fleetKey, name);
    const refused = (why: string) => expect.objectContaining({ code: 'blob-sealed', why }) as Error;
    expect(() => openBlob(sealed, undefined, name)).toThrow(refused('no fleet key is set'));
    const other: FleetKey = { secrets: [secret()] };
    expect(() => openBlob(sealed, other, name)).toThrow(
      refused(`the fleet key does not hold secret ${fleetKey.secrets[0].id}`),
    );
  });

  it('opens under a key that has a newer secret before its own', () => {
    const sealed = sealBlob(Uint8Array.of(7), fleetKey, name);
    const changed: FleetKey = { secrets: [secret(), ...fleetKey.secrets] };
    expect([...openBlob(sealed, changed, name)]).toEqual([7]);
    expect(isSealedWith(sealed, fleetKey)).toBe(true);
    expect(isSealedWith(sealed, changed)).toBe(false);
  });

  it('gives back what was stored before there was a key', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(openBlob(bytes, fleetKey, name)).toBe(bytes);
    expect(isSealed(bytes)).toBe(false);
  });
});
