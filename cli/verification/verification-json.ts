import type { Verification } from './verify-masks.ts';

/** What was found, for machines: everything but the images. */
export function verificationJson({ results, images, reuse, passed }: Verification): Readonly<Record<string, unknown>> {
  const plain = {
    passed,
    images,
    /** Test prompts that the sweep has run from other seeds. */
    sweptPrompts: reuse,
    variants: results.map(({ title, masks, concepts }) => ({
      title,
      masks,
      concepts: concepts.map(({ concept, kind, measured, thresholds, verdict, alternatives }) => {
        const found = measured.kind === 'erasure' ? { erasure: measured.erasure } : { balance: measured.balance };
        return { concept, kind, verdict, thresholds, ...found, alternatives };
      }),
    })),
  };
  // Nothing is left of what is undefined, and infinity becomes null.
  return JSON.parse(JSON.stringify(plain)) as Readonly<Record<string, unknown>>;
}
