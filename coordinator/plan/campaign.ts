import type { ConceptKind } from '../../shared/method/concept.ts';
import type { LayerRatios, Selection } from '../../shared/method/conceptprune/settings.ts';
import type { SiteName } from '../../shared/model/site.ts';
import type { SchedulerName } from '../../shared/model/scheduler-name.ts';
import type { TuneFile } from './tune-schema.ts';
import type { TrajectoryKey } from '../../shared/unit/unit.ts';
import type { Thresholds } from '../../shared/verification/verdict.ts';

/** How one site of a concept is masked. */
export interface SiteMask {
  readonly site: SiteName;
  /** Share of a row's weights that may be pruned, above 0 and at most 1. */
  readonly skillRatio: number;
  readonly selection: Selection;
  /** `reference` does not use it. */
  readonly margin: number;
  /** The only layers of the site that are masked, each with its own ratio; absent, all are. */
  readonly layers?: LayerRatios;
}

/** How a concept is masked. */
export interface MaskSettings {
  /** A weight is pruned if it is selected in more than this share of the τ steps; 0 up to, not including, 1. */
  readonly selectRatio: number;
  /** At least one; each site once, in the order of `sites` in shared/model/site.ts. */
  readonly sites: readonly SiteMask[];
}

/** Which labels of a head test prompts name, and in what words. */
export interface LabelChoice {
  /** All, if absent. */
  readonly only?: readonly string[];
  readonly without: readonly string[];
  /** What stands for a label in a prompt instead of itself. */
  readonly phrases: Readonly<Record<string, string>>;
}

/** What test prompts are made of: templates, and labels by head. */
export interface TestPromptSource {
  readonly templates: readonly string[];
  readonly labels: Readonly<Record<string, LabelChoice>>;
}

/** Prompts that ask for a concept in other ways than the test prompts do. */
export type AlternativeKind = 'indirect' | 'misspelt' | 'rephrased';

/** How a concept is verified. */
export interface ConceptVerification {
  /** The classifier's word for it; the concept's name, if absent. */
  readonly label?: string;
  /** The head that has the label; the only one that has, if absent. */
  readonly head?: string;
  /** Of kind gender: the labels of `head` whose shares are compared. Empty for others. */
  readonly sides: readonly string[];
  /** The campaign's, if absent. */
  readonly prompts?: TestPromptSource;
  readonly thresholds: Thresholds;
  /** With all masks of the campaign active. */
  readonly together: Thresholds;
  readonly alternatives: readonly { readonly kind: AlternativeKind; readonly prompts: readonly string[] }[];
}

/** How a campaign is verified. */
export interface Verification {
  /** Path of the JSON file that describes the classifier; the checkpoint's own, if absent. */
  readonly classifier?: string;
  readonly prompts: TestPromptSource;
  /** Test images of a target, and as many of the rest. */
  readonly images: number;
  /** Images of each alternative prompt. */
  readonly alternativeImages: number;
  /** The first of the seeds. */
  readonly seed: string;
  readonly sampling: CampaignSampling;
  /** Whether all masks are verified together too. */
  readonly together: boolean;
  /** The least rate before at which a target counts as there. */
  readonly present: number;
}

/** What is to be forgotten. */
export interface Concept {
  readonly name: string;
  readonly kind: ConceptKind;
  /** Trajectories that show the concept, in pairs with `base`; one that is listed twice counts twice. */
  readonly target: readonly TrajectoryKey[];
  /** The same without the concept; as long as `target`, and of equal seeds. */
  readonly base: readonly TrajectoryKey[];
  readonly mask: MaskSettings;
  readonly verify: ConceptVerification;
}

/** Sampling settings as a campaign gives them; what is absent is the checkpoint's own. */
export interface CampaignSampling {
  readonly scheduler?: SchedulerName;
  /** Inference steps, as diffusers counts them. */
  readonly steps: number;
  readonly guidance: number;
  /** Of the image, in pixels. */
  readonly size?: { readonly width: number; readonly height: number };
}

/** What `lethe tune` may try, and on which images. */
export type Tuning = Omit<TuneFile, 'sampling'> & { readonly sampling?: CampaignSampling };

/** Checkpoint × concepts × settings: what `lethe sweep` runs. Lists are expanded, defaults are filled in. */
export interface Campaign {
  readonly name: string;
  /** Directory as written in the file; absent for emoji-sd, which comes with Lethe. */
  readonly checkpoint?: string;
  /** Variant of the weights, such as `fp16`. */
  readonly variant?: string;
  /** The numerics class it is pinned to; absent: the class with most capacity when it is submitted. */
  readonly numerics?: string;
  readonly sampling: CampaignSampling;
  /** UNet calls of a trajectory that are scored, from the first. */
  readonly tau: number;
  /** UNet calls in a unit. */
  readonly window: number;
  /** Trajectories in a unit, at most. */
  readonly batch: number;
  /** What must stay: the comparison of every site with selection `contrast`, instead of the base. May be empty. */
  readonly retain: readonly TrajectoryKey[];
  /** By name. */
  readonly concepts: readonly Concept[];
  /** What `lethe tune` searches and by which images; a sweep does not look at it. */
  readonly tune?: Tuning;
  /** Absent where the campaign says nothing of it. */
  readonly verify?: Verification;
}
