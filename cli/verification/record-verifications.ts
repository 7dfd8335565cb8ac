import type { TestImages } from '../../gen/fleet/v1/mask.ts';
import { canonicalJson } from '../../shared/unit/canonical-json.ts';
import type { FleetClient } from '../fleet/fleet-client.ts';
import type { VariantResult } from './measure-tests.ts';
import { verificationJson } from './verification-json.ts';
import type { Verification } from './verify-masks.ts';

/**
 * Notes with the fleet what came of each mask by itself: `lethe apply` asks for it. What several masks do together is no
 * one mask's, and is in the report alone.
 *
 * @param checkpoint id
 */
export async function recordVerifications(
  client: FleetClient,
  campaign: string,
  checkpoint: string,
  verification: Verification,
): Promise<void> {
  for (const result of verification.results) {
    const [mask, ...others] = result.masks;
    if (mask === undefined || others.length > 0) continue;
    const passed = result.concepts.every(({ verdict }) => verdict.kind === 'passed');
    const own = verificationJson({ ...verification, results: [result], passed });
    const tested = testImages(result);
    const report = Buffer.from(canonicalJson({ campaign, checkpoint, tested, ...own }), 'utf8');
    await client.recordVerification(mask, checkpoint, passed, report, tested);
  }
}

/** Images that a result rests on; of several concepts of a mask, those of the one with fewest. */
export function testImages({ concepts, rest }: VariantResult): TestImages {
  const targets = concepts.map(({ measured }) =>
    measured.kind === 'erasure' ? measured.erasure.ua.of : measured.balance.unclear.after.of,
  );
  return { target: targets.length === 0 ? 0 : Math.min(...targets), rest };
}
