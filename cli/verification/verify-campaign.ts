import { join } from 'node:path';
import type { Campaign } from '../../coordinator/plan/campaign.ts';
import { campaignId } from '../../coordinator/store/campaign-entry.ts';
import type { ImageSession } from '../fleet/image-session.ts';
import { MaskShelf, masksIn } from '../fleet/mask-shelf.ts';
import { sweptMasks } from '../fleet/swept-masks.ts';
import type { ReportedTradeOff } from '../report/report-data.ts';
import { writeReport } from '../report/write-report.ts';
import { tunedTrajectories } from '../tuning/probe-lists.ts';
import { recordVerifications } from './record-verifications.ts';
import { type UsedTrajectories, refuseOverlap, sweptTrajectories } from './refuse-overlap.ts';
import { testPlan } from './test-plan.ts';
import { masksToVerify, together } from './variants.ts';
import { verificationJson } from './verification-json.ts';
import { verificationReport } from './verification-report.ts';
import { verificationText } from './verification-text.ts';
import { type Verification, verifyMasks } from './verify-masks.ts';

/** A campaign that is to be verified. */
export interface VerifiedCampaign {
  readonly yaml: string;
  /** Its path, as it was given. */
  readonly file: string;
  /** With as many images as are made. */
  readonly campaign: Campaign;
  /** Test images of each target that the campaign asks for: on fewer anything may pass. */
  readonly asked: number;
  /** What tuning has used: masks may not be tested on it. */
  readonly tuned: UsedTrajectories;
}

/** What came of it. */
export interface CampaignVerification {
  readonly verification: Verification;
  /** For people: tables, what misses, the report's path. */
  readonly text: string;
  /** What --json prints. */
  readonly json: Readonly<Record<string, unknown>>;
}

/**
 * A campaign as it is to be verified.
 *
 * @param yaml what `written` was read from
 * @param images test images of each target, instead of the campaign's
 * @param heads labels of the classifier, by head
 * @throws LetheError `campaign-invalid` for what cannot be verified, such as images that sweep or tuning have used.
 */
export function campaignToVerify(
  yaml: string,
  file: string,
  written: Campaign,
  images: number | undefined,
  heads: Readonly<Record<string, readonly string[]>>,
): VerifiedCampaign {
  const { verify } = written;
  const campaign =
    images === undefined || verify === undefined ? written : { ...written, verify: { ...verify, images } };
  const names = campaign.concepts.map(({ name }) => name);
  const all = campaign.verify?.together === true ? [names] : [];
  const variants = [...names.map((name) => [name]), ...all].map((concepts) => ({ title: '', masks: [], concepts }));
  const tuned = tunedTrajectories(campaign, heads, file);
  refuseOverlap(testPlan(campaign, heads, variants, file), [sweptTrajectories(campaign), tuned], file);
  return { yaml, file, campaign, asked: verify?.images ?? 0, tuned };
}

/**
 * Verifies masks as their campaign says, records what came of each if the images are as many as it asks for, and writes
 * the report.
 *
 * @param named hashes or concepts of masks; the campaign's own, if undefined, which are made if need be
 * @param tradeOffs of the tuning that found the masks
 * @throws LetheError what sweeping and drawing throw.
 */
export async function verifyCampaign(
  session: ImageSession,
  { yaml, file, campaign, asked, tuned }: VerifiedCampaign,
  named?: readonly string[],
  tradeOffs: readonly ReportedTradeOff[] = [],
): Promise<CampaignVerification> {
  const { settings, client, classifier, watcher, tell } = session;
  const shelf = new MaskShelf(masksIn(settings.data), client);
  const hashes =
    named === undefined
      ? (await sweptMasks(session, { yaml, source: file, trial: false })).map(({ hash }) => hash)
      : await Promise.all(named.map(async (name) => (await shelf.find(name)).hash));
  const { checkpoint, alone } = await masksToVerify(hashes, shelf, campaign);
  const all = campaign.verify?.together === true ? together(alone) : undefined;
  const judge = { heads: classifier.file.heads, classify: classifier.classify.bind(classifier) };
  const variants = all === undefined ? alone : [...alone, all];
  const verification = await verifyMasks(client, campaign, checkpoint, variants, judge, [tuned], file, watcher);

  const made = campaign.verify?.images ?? 0;
  const recorded = made >= asked;
  if (recorded) await recordVerifications(client, campaign.name, checkpoint, verification);
  else
    tell(
      `not recorded, so \`lethe apply\` does not take it for a verification: the campaign asks for ${asked} images, and --images is ${made}`,
    );
  const id = campaignId(campaign.name, yaml);
  const masks = await Promise.all([...new Set(hashes)].map(async (hash) => ({ hash, mask: await shelf.read(hash) })));
  const report = await writeReport(
    // A first look on fewer images does not take the place of what was recorded.
    join(settings.data, 'verification', recorded ? id : `${id}-${made}`),
    verificationReport(
      campaign,
      id,
      commandOf(file, made === asked ? undefined : made, named),
      new Date().toISOString(),
      verification,
      masks,
      tradeOffs,
      recorded ? undefined : { images: made, asked },
    ),
  );
  const { results, reuse } = verification;
  return {
    verification,
    text: `${verificationText(results, reuse, !recorded)}\n\nimages      ${verification.images}\nreport      ${report}`,
    json: { campaign: campaign.name, checkpoint, ...verificationJson(verification), recorded, report },
  };
}

function commandOf(file: string, images: number | undefined, masks: readonly string[] | undefined): string {
  const flags = [
    ...(images === undefined ? [] : ['--images', images]),
    ...(masks === undefined ? [] : ['--masks', ...masks]),
  ];
  return ['lethe verify', file, ...flags].join(' ');
}
