import { canonicalJson } from '../../shared/unit/canonical-json.ts';
import type { FleetClient } from '../fleet/fleet-client.ts';
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
    const report = Buffer.from(canonicalJson({ campaign, checkpoint, ...own }), 'utf8');
    await client.recordVerification(mask, checkpoint, passed, report);
  }
}
