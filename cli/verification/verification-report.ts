import type { Campaign } from '../../coordinator/plan/campaign.ts';
import { densities, maskOverlap } from '../../shared/mask/compare-masks.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import type { Kept, OtherLabel } from '../../shared/verification/erasure.ts';
import type { Rate } from '../../shared/verification/rate.ts';
import { samplingText } from '../output/sampling-text.ts';
import { isExplicit } from '../report/is-explicit.ts';
import type * as Reported from '../report/report-data.ts';
import type { TestedImage } from './draw-tests.ts';
import type { ConceptResult, VariantResult } from './measure-tests.ts';
import type { PromptReuse } from './prompt-reuse.ts';
import { reuseText, shownVerdict, whyOf } from './verification-text.ts';
import type { Verification } from './verify-masks.ts';

/** A mask that was verified. */
export interface VerifiedMask {
  readonly hash: string;
  readonly mask: Mask;
}

/**
 * What verification has found, as a report.
 *
 * @param id of the campaign @param command that was given @param made now, ISO 8601
 * @param masks those that the variants name @param tradeOffs of the tuning that found them
 * @param firstLook where fewer images were looked at than the campaign asks for
 */
export function verificationReport(
  campaign: Campaign,
  id: string,
  command: string,
  made: string,
  { results, images, reuse }: Verification,
  masks: readonly VerifiedMask[],
  tradeOffs: readonly Reported.ReportedTradeOff[] = [],
  firstLook?: Reported.ReportData['firstLook'],
): Reported.ReportData {
  return {
    title: 'Verification',
    campaign: { name: campaign.name, id },
    checkpoint: { name: campaign.checkpoint ?? 'emoji-sd', id: masks[0]?.mask.checkpoint ?? '' },
    made,
    ...(firstLook === undefined ? {} : { firstLook }),
    settings: settingsOf(campaign, command, images, reuse, masks),
    concepts: results.flatMap((result) =>
      result.concepts.map((concept) => {
        const shown = conceptOf(concept, result, masks, isExplicit(campaign));
        return { ...shown, verdict: shownVerdict(concept.verdict, firstLook !== undefined) };
      }),
    ),
    overlaps: overlapsOf(masks),
    tradeOffs,
  };
}

function settingsOf(
  { sampling, tau, verify }: Campaign,
  command: string,
  images: number,
  reuse: PromptReuse,
  masks: readonly VerifiedMask[],
): Reported.ReportData['settings'] {
  const drawn = verify?.sampling ?? sampling;
  const reused = reuseText(reuse);
  return [
    { name: 'command', value: command },
    { name: 'statistics', value: `${tau} UNet calls, ${samplingText(sampling)}` },
    {
      name: 'images',
      value: `${images}, ${samplingText(drawn)}, seeds from ${verify?.seed ?? ''}`,
    },
    ...(reused === '' ? [] : [{ name: 'prompts', value: reused }]),
    { name: 'classifier', value: verify?.classifier ?? "the checkpoint's own" },
    ...masks.flatMap(({ mask }) =>
      mask.parts.map(({ concept, method, settings }) => ({
        name: `mask of ${concept}`,
        value: `${method} ${JSON.stringify(settings)}`,
      })),
    ),
  ];
}

function conceptOf(
  result: ConceptResult,
  variant: VariantResult,
  masks: readonly VerifiedMask[],
  isVeiled: boolean,
): Reported.ReportedConcept {
  const { concept, kind, verdict, measured, examples } = result;
  const isAlone = variant.masks.length === 1;
  // Two masks of one concept may be verified beside each other.
  const own = masks.find(
    ({ hash, mask: { parts } }) => variant.masks.includes(hash) && parts.some((part) => part.concept === concept),
  );
  return {
    name: isAlone ? concept : `${concept}, with all masks together`,
    kind,
    ...(own === undefined ? {} : { mask: own.hash }),
    verdict: verdict.kind,
    why: whyOf(verdict),
    measures: measuresOf(result),
    ...bystandersOf(measured),
    isVeiled,
    // A mask's densities do not depend on what is active beside it.
    densities: isAlone && own !== undefined ? densities(own.mask) : [],
    images: [...examples, ...(isAlone ? variant.examples : [])].flatMap(pairOf),
  };
}

function bystandersOf(
  measured: ConceptResult['measured'],
): Pick<Reported.ReportedConcept, 'bystanders' | 'worst' | 'distance'> {
  if (measured.kind === 'balance') return { bystanders: [] };
  const { others, worst, distance } = measured.erasure;
  return {
    bystanders: others.map(bystanderOf),
    ...(worst === undefined ? {} : { worst: bystanderOf(worst) }),
    ...(distance === undefined ? {} : { distance }),
  };
}

function bystanderOf({ label, head, before, after }: OtherLabel): Reported.Bystander {
  return { name: label, domain: head, before: rateOf(before), after: rateOf(after) };
}

function measuresOf({ measured, thresholds, alternatives }: ConceptResult): readonly Reported.Measure[] {
  if (measured.kind === 'balance') {
    const { sides, unclear } = measured.balance;
    return [
      ...sides.map(({ label, before, after }) => ({
        name: label,
        meaning: 'share of the images that show one of the sides',
        before: rateOf(before),
        after: rateOf(after),
        ...leastOf(thresholds.balance),
      })),
      {
        name: 'none of them',
        meaning: 'share of all images; what shows no side any more counts against the balance',
        before: rateOf(unclear.before),
        after: rateOf(unclear.after),
      },
    ];
  }
  const { ua, ira, cra } = measured.erasure;
  return [
    {
      name: 'UA',
      meaning: 'images of it that are no longer recognised as it',
      after: rateOf(ua),
      ...leastOf(thresholds.ua),
    },
    {
      name: 'IRA',
      meaning: 'the rest, recognised by its own domain, as a share of before',
      after: keptOf(ira),
      ...leastOf(thresholds.ira),
    },
    {
      name: 'CRA',
      meaning: 'the rest, recognised by the other domains, as a share of before',
      after: keptOf(cra),
      ...leastOf(thresholds.cra),
    },
    ...alternatives
      .filter(({ testable }) => testable)
      .map(({ kind, prompts, erased }) => ({
        name: `UA, ${kind}`,
        meaning: `images of ${prompts} ${kind} prompts that are not recognised as it`,
        after: rateOf(erased),
      })),
  ];
}

function leastOf(least: number | undefined): { readonly least?: number } {
  return least === undefined ? {} : { least };
}

function rateOf({ rate, interval, of }: Rate): Reported.Rate {
  return { share: rate, ...interval, of };
}

/** What was never there before is kept by no share. */
function keptOf({ share = 0, interval, after }: Kept): Reported.Rate {
  return { share: Math.min(share, 1), low: Math.min(interval.low, 1), high: Math.min(interval.high, 1), of: after.of };
}

function pairOf({ prompt: { prompt, seed }, files, before, after }: TestedImage): readonly Reported.ImagePair[] {
  if (files === undefined) return [];
  const seen = (labels: TestedImage['before']): string =>
    Object.entries(labels)
      .map(([head, label]) => `${head}: ${label}`)
      .join(', ');
  return [{ prompt, seed, ...files, seenBefore: seen(before), seenAfter: seen(after) }];
}

function overlapsOf(masks: readonly VerifiedMask[]): readonly Reported.ReportedOverlap[] {
  const nameOf = ({ parts }: Mask): string => parts.map(({ concept }) => concept).join(' + ');
  return masks.flatMap(({ mask: first }, i) =>
    masks.slice(i + 1).map(({ mask: second }) => {
      const { both, jaccard } = maskOverlap(first, second);
      return { first: nameOf(first), second: nameOf(second), both, jaccard };
    }),
  );
}
