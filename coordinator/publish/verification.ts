import { createHash } from 'node:crypto';
import { z } from 'zod';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Store } from '../store/store.ts';
import { count, decodeStored, encodeStored, hash, name } from '../store/stored-json.ts';

/** How many test images a verdict rests on: of what was to be erased, and of what was to be kept. */
const testImagesSchema = z.object({ target: count, rest: count });
export type TestImages = z.infer<typeof testImagesSchema>;

/** What came of verifying a mask. */
const verificationSchema = z.object({
  mask: hash,
  checkpoint: name,
  /** Whether the thresholds of its campaign held. */
  passed: z.boolean(),
  /** SHA-256 of the report, which is the blob `verification/<report>`. */
  report: hash,
  /** Absent where a build recorded it that did not count them. */
  images: testImagesSchema.optional(),
  /** When it was recorded, ISO 8601. */
  when: z.iso.datetime(),
});
export type Verification = z.infer<typeof verificationSchema>;

type VerificationStore = Pick<Store, 'verifications' | 'blobs'>;

/** Bytes of a report at most: one message of proto/fleet carries it. */
const reportLimit = 900_000;

/** The newest verification of a mask; undefined if there is none. @throws LetheError `record-invalid` */
export async function verificationOf(
  { verifications }: Pick<Store, 'verifications'>,
  mask: string,
): Promise<Verification | undefined> {
  const document = await verifications.read(mask);
  return document && decodeStored(verificationSchema, document.bytes, `verification of ${mask}`);
}

/**
 * Notes what came of verifying a mask, in the place of what was noted before: who verifies again, with other samples or
 * thresholds, knows more. Earlier reports stay.
 *
 * @throws LetheError `usage` for a report above the limit
 */
export async function recordVerification(
  { verifications, blobs }: VerificationStore,
  { mask, checkpoint, passed, images }: Pick<Verification, 'mask' | 'checkpoint' | 'passed' | 'images'>,
  report: Uint8Array,
  when: Date,
): Promise<Verification> {
  if (report.length > reportLimit)
    throw new LetheError('usage', {
      what: 'cannot record the verification',
      where: mask,
      why: `its report has ${report.length} bytes; at most ${reportLimit} are taken`,
      next: 'leave the images out of it',
    });
  const digest = createHash('sha256').update(report).digest('hex');
  const blob = `verification/${digest}`;
  if ((await blobs.find(blob)) === undefined) await blobs.put(blob, report);
  const verification: Verification = {
    mask,
    checkpoint,
    passed,
    report: digest,
    when: when.toISOString(),
    ...(images === undefined ? {} : { images }),
  };
  const bytes = encodeStored(verification);
  let found = await verifications.read(mask);
  for (;;) {
    const outcome = await (found === undefined
      ? verifications.create(mask, bytes)
      : verifications.update(mask, bytes, found.sequence));
    if (outcome.kind === 'stored') return verification;
    found = outcome.found;
  }
}
