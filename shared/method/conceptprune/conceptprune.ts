import { LetheError } from '../../error/lethe-error.ts';
import { type Site, type SiteName, layersOf, sites } from '../../model/site.ts';
import { tap } from '../../model/tap.ts';
import { type Concept, type ConceptCohorts, cohortsOf } from '../concept.ts';
import type { Demand, MaskedLayer, Method } from '../method.ts';
import { type LayerNorms, normsOf, type Summed } from './norms.ts';
import type { ScoreJob } from './score-job.ts';
import type { LayerSelection } from './score-layer.ts';
import {
  type ConceptPruneSettings,
  isContrasting,
  type LayerSettings,
  layerSettings,
  type SiteSettings,
} from './settings.ts';

/** The names of ConceptPrune's demands: whose statistics they are. */
export type Role = keyof ConceptCohorts;

/** The sums of a cohort by layer and step; a cohort's sum fits as it is. */
export interface CohortStatistics {
  readonly layers: readonly {
    readonly layer: { readonly site: SiteName; readonly name: string };
    readonly steps: readonly Summed[];
  }[];
}

/** Before its one round a state has no statistics, and after it those of every demand. */
export interface ConceptPruneState {
  readonly settings: ConceptPruneSettings;
  readonly cohorts: ConceptCohorts;
  readonly statistics?: ReadonlyMap<string, CohortStatistics>;
}

/** Scores layers, in the order of the jobs: a `ScorePool`, or one thread. */
export type Scorer = (jobs: readonly ScoreJob[]) => Promise<readonly LayerSelection[]>;

/** The state that a concept is swept from. @throws LetheError `method-invalid` as `cohortsOf`, and for a retain list that nothing uses. */
export function startConceptPrune(concept: Concept, settings: ConceptPruneSettings): ConceptPruneState {
  const cohorts = cohortsOf(concept);
  if (cohorts.retain.length > 0 && !settings.sites.some(({ selection }) => isContrasting(selection)))
    throw new LetheError('method-invalid', {
      what: 'cannot use the retain list',
      where: `concept ${concept.name}`,
      why: 'only the selections contrast and specific rank by it',
      next: 'set one of them for a site, or leave the list out',
    });
  return { settings, cohorts };
}

/**
 * ConceptPrune (Chavhan et al., arXiv 2405.19237): weights of the feed-forward layers that are activated more by prompts
 * with the concept than without. One round: the statistics of target and base, and of the retain list where there is one.
 */
export const conceptPrune: Method<ConceptPruneState, CohortStatistics, Scorer> = {
  name: 'conceptprune',

  next({ settings, cohorts, statistics }) {
    if (statistics !== undefined) return [];
    const demand = (role: Role): Demand => {
      const wanted = settings.sites.filter((each) => role === 'target' || role === baseOf(each, cohorts));
      return { name: role, trajectories: cohorts[role], sites: wanted.map(({ site }) => site), steps: settings.tau };
    };
    return (['target', 'base', 'retain'] as const).map(demand).filter((each) => each.sites.length > 0);
  },

  outputs(demand, inputs, items) {
    return sitesOf(demand.sites).flatMap((site) =>
      [...inputs]
        .filter(([layer]) => site.layer.test(layer))
        .map(([layer, input]) => ({ site: site.name, name: layer, value: tap(layer, input, items) })),
    );
  },

  reduce(state, statistics) {
    return { ...state, statistics };
  },

  async finish({ settings, cohorts, statistics }, weights, score) {
    const layers = settings.sites.flatMap((each) =>
      sitesOf([each.site]).flatMap((site) =>
        // Those that were observed: the plan has left out what the file holds besides.
        layersOf(site, weights[site.component], observed(each.site)).flatMap(({ name }) => {
          const own = layerSettings(settings, each.site, name);
          if (own === undefined) return [];
          const base = baseOf(each, cohorts);
          // Lists of one length are compared as the reference does, by their sums.
          const mean = cohorts[base].length !== cohorts.target.length;
          const norms = {
            target: layerNorms('target', each.site, name, mean),
            base: layerNorms(base, each.site, name, mean),
          };
          return [{ site: each.site, name, job: jobOf(own, site, name, norms) }];
        }),
      ),
    );
    const selections = await score(layers.map(({ job }) => job));
    const masked = layers.map(({ site, name }, i): MaskedLayer => {
      const selected = selections[i];
      if (selected === undefined) throw missing(`${site} ${name}`, 'it was not scored');
      // One step means that the norms, and so the selection, hold at every step.
      return { site, name, union: selected.union, steps: selected.steps.length > 1 ? selected.steps : [] };
    });
    return { kind: 'mask', layers: masked };

    function observed(site: SiteName): ReadonlySet<string> {
      const layers = statistics?.get('target')?.layers.filter(({ layer }) => layer.site === site) ?? [];
      if (layers.length === 0) throw missing(site, 'the sums of target have no layer of it');
      return new Set(layers.map(({ layer }) => layer.name));
    }

    function layerNorms(role: Role, site: SiteName, name: string, mean: boolean): readonly Float32Array[] {
      const found = statistics?.get(role)?.layers.find(({ layer }) => layer.site === site && layer.name === name);
      if (found === undefined) throw missing(`${site} ${name}`, `the sums of ${role} do not have it`);
      return found.steps.map((sum) => normsOf(sum, mean));
    }

    function jobOf(own: LayerSettings, { component, name: site }: Site, name: string, norms: LayerNorms): ScoreJob {
      const location = weights[component].tensors.get(`${name}.weight`);
      if (location === undefined) throw missing(`${site} ${name}`, 'the checkpoint has no such weight');
      return { file: location.file, weight: location, norms, settings: own };
    }
  },
};

/** What a site's target is held against: contrast and specific take the retain list if there is one. */
function baseOf({ selection }: SiteSettings, { retain }: ConceptCohorts): Role {
  return isContrasting(selection) && retain.length > 0 ? 'retain' : 'base';
}

function sitesOf(names: readonly SiteName[]): readonly Site[] {
  return sites.filter(({ name }) => names.includes(name));
}

function missing(where: string, why: string): LetheError {
  return new LetheError('method-invalid', {
    what: 'cannot score the layer',
    where,
    why,
    next: 'run the round again for this checkpoint and these sites',
  });
}
