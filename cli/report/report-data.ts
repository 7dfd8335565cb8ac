import type { LayerDensity } from '../../shared/mask/compare-masks.ts';
import type { ConceptKind } from '../../shared/method/concept.ts';

/** A share of trials and its 95 % interval. All in [0, 1]. */
export interface Rate {
  readonly share: number;
  readonly low: number;
  readonly high: number;
  /** Trials. */
  readonly of: number;
}

/** One thing that was measured of a concept, such as UA. */
export interface Measure {
  readonly name: string;
  /** In words, for who does not know the name. */
  readonly meaning: string;
  /** Absent for what has no before, such as a share of before. */
  readonly before?: Rate;
  readonly after: Rate;
  /** What the campaign asks for, where it does. */
  readonly least?: number;
}

/** How well another concept or style is recognised. */
export interface Bystander {
  readonly name: string;
  /** Such as `object` or `style`. */
  readonly domain: string;
  readonly before: Rate;
  readonly after: Rate;
}

/** Accuracy after as a share of before; what was not recognised before cannot be lost. */
export function keptShare({ before, after }: Bystander): number {
  return before.share === 0 ? Infinity : after.share / before.share;
}

/** An image before and after, from the same noise. */
export interface ImagePair {
  readonly prompt: string;
  readonly seed: string;
  /** PNG files. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** What the classifier saw, where there was one. */
  readonly seenBefore?: string;
  readonly seenAfter?: string;
}

/** `preliminary`: the thresholds hold, and on too few images, or on those that chose the mask: no verdict yet. */
export type ReportVerdict = 'passed' | 'preliminary' | 'failed' | 'not testable';

/** What a report says of one concept, or of several that are active together. */
export interface ReportedConcept {
  readonly name: string;
  readonly kind: ConceptKind;
  /** Hash of the mask; absent if there is none. */
  readonly mask?: string;
  readonly verdict: ReportVerdict;
  /** Why the verdict is what it is; empty where the measures say it. */
  readonly why: string;
  readonly measures: readonly Measure[];
  readonly bystanders: readonly Bystander[];
  /** The one of `bystanders` that is kept least, of those that were there before. */
  readonly worst?: Bystander;
  /** Mean pixel distance of images that should not change, in [0, 1]. */
  readonly distance?: number;
  readonly densities: readonly LayerDensity[];
  /** Whether images are shown blurred until asked for: those of the rest too, where a prompt may name what is explicit. */
  readonly isVeiled: boolean;
  readonly images: readonly ImagePair[];
}

/** What two masks prune in common. */
export interface ReportedOverlap {
  readonly first: string;
  readonly second: string;
  /** Weights that both prune. */
  readonly both: number;
  /** `both` as a share of what either prunes. */
  readonly jaccard: number;
}

/** A mask that was tried. */
export interface ReportedTrial {
  /** Its settings, for people. */
  readonly label: string;
  /** Share of the sites' weights that are pruned. */
  readonly density: number;
  /** Share of the target's images that are no longer recognised. */
  readonly erased: Rate;
  /** The worst kept domain's accuracy as a share of before. */
  readonly kept: Rate;
  /** Whether no other is better in one of the three and as good in the others. */
  readonly front: boolean;
  readonly chosen: boolean;
}

/** All that was tried for concepts that are tuned together. */
export interface ReportedTradeOff {
  readonly concepts: readonly string[];
  readonly trials: readonly ReportedTrial[];
}

/** A name and its value, as text. */
export interface ReportedSetting {
  readonly name: string;
  readonly value: string;
}

/** Everything a report shows. Plain values: the same data is the same file. */
export interface ReportData {
  readonly title: string;
  readonly campaign: { readonly name: string; readonly id: string };
  readonly checkpoint: { readonly name: string; readonly id: string };
  /** Where fewer images of each list were looked at than the campaign asks for: nothing of it is recorded. */
  readonly firstLook?: { readonly images: number; readonly asked: number };
  /** ISO 8601, in UTC. */
  readonly made: string;
  /** What somebody needs to get the same numbers: command, sampling, seeds, classifier, hashes; in the order shown. */
  readonly settings: readonly ReportedSetting[];
  readonly concepts: readonly ReportedConcept[];
  readonly overlaps: readonly ReportedOverlap[];
  readonly tradeOffs: readonly ReportedTradeOff[];
}
