import type { GraphCost } from '../../shared/model/graph/cost.ts';
import type { SiteName } from '../../shared/model/site.ts';
import type { Output, SamplingSpec, Unit } from '../../shared/unit/unit.ts';
import type { ConceptKind } from '../../shared/method/concept.ts';
import type { SiteMask } from './campaign.ts';
import type { SiteFacts } from './checkpoint-facts.ts';
import type { Cohort } from './cohort.ts';

/** A site of a concept, and what its target is compared with. */
export interface PlannedSite extends SiteMask {
  /** Id of the cohort whose norms are S_base: the concept's base, or the campaign's retain list without the concept's targets. */
  readonly against: string;
}

/** A concept and the cohorts its mask is made from. */
export interface PlannedConcept {
  readonly name: string;
  readonly kind: ConceptKind;
  readonly selectRatio: number;
  /** Ids of cohorts. */
  readonly target: string;
  readonly base: string;
  /** In the order of `sites` in shared/model/site.ts. */
  readonly sites: readonly PlannedSite[];
}

/** A cohort and the sites that some concept needs it for. */
export interface PlannedCohort extends Cohort {
  /** Sites it is summed for; none if no concept compares with it. In the order of shared/model/site.ts. */
  readonly sites: readonly SiteName[];
}

/** An item of a unit that belongs to a cohort. */
export interface Member {
  /** Id of the cohort. */
  readonly cohort: string;
  /** Index into the unit's trajectories, or prompts. */
  readonly item: number;
  /** How many times the item's statistics are added to the cohort's sum. */
  readonly count: number;
}

/** What a unit needs of a device. */
export interface MemoryNeed {
  /** Estimate: weights in fp32 and the largest activations of a batch. */
  readonly bytes: number;
  /** The smallest power of two of GiB that holds it: part of the unit's queue subject. */
  readonly gib: number;
}

/** A unit, what is wanted of it, and whose it is. Only `unit` is in the hash. */
export interface PlannedUnit {
  /** `unitHash(unit)`. */
  readonly hash: string;
  readonly unit: Unit;
  /** Sites that some cohort of `members` needs, or the images: each is a result of its own. */
  readonly sites: readonly Output[];
  /** In the order of the plan's cohorts, then of items. Which of `sites` a cohort needs is said by the cohort. */
  readonly members: readonly Member[];
  /** Hash of the unit of the window before: its result names the state this one goes on from. */
  readonly predecessor?: string;
  readonly memory: MemoryNeed;
  /** Of an image unit: UNet calls of a whole trajectory. */
  readonly calls?: number;
}

/** Units that are queued and run together. */
export interface UnitPlan {
  readonly checkpoint: string;
  readonly numerics: string;
  readonly graph: string;
  readonly units: readonly PlannedUnit[];
}

/**
 * What a campaign runs: a pure function of the campaign, of what the checkpoint is, and of the numerics class. Names of
 * concepts and of the campaign are in it, and in no hash.
 */
export interface Plan extends UnitPlan {
  readonly campaign: string;
  readonly sampling: SamplingSpec;
  /** UNet calls of a whole trajectory: 51 for 50 PNDM steps. */
  readonly calls: number;
  readonly tau: number;
  readonly window: number;
  readonly batch: number;
  /** Of one trajectory's call, and of one prompt's pass: what the bill is reckoned from. */
  readonly cost: { readonly unet: GraphCost; readonly textEncoder: GraphCost };
  /** All sites that are wanted, with their layers; in the order of shared/model/site.ts. */
  readonly sites: readonly SiteFacts[];
  /** By name. */
  readonly concepts: readonly PlannedConcept[];
  /** Most trajectories first, then by id. */
  readonly cohorts: readonly PlannedCohort[];
  /** Text encoder passes first; then cohort by cohort, each batch with its windows in order. */
  readonly units: readonly PlannedUnit[];
}
