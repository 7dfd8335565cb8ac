import type { Path } from '../../shared/config/problem.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { isContrasting } from '../../shared/method/conceptprune/settings.ts';
import { type SiteName, sites as allSites } from '../../shared/model/site.ts';
import type { TrajectoryKey } from '../../shared/unit/unit.ts';
import { graphVersion } from '../../shared/unit/unit.ts';
import type { Campaign, Concept } from './campaign.ts';
import type { CheckpointFacts } from './checkpoint-facts.ts';
import { type Cohort, cohortOf } from './cohort.ts';
import { denoiseUnits } from './denoise-units.ts';
import { encodeUnits } from './encode-units.ts';
import type { Plan, PlannedConcept, PlannedSite } from './plan.ts';

/**
 * The plan of a campaign: the same units, in the same order, with the same hashes, on any machine, whatever the order in
 * which the file lists concepts and prompts (docs/decision/006-how-cohorts-become-units.md).
 *
 * @param facts what `checkpointFacts` gives for the campaign's sampling settings.
 * @throws LetheError `campaign-invalid` for sites that the checkpoint does not have, or a tau beyond its trajectories.
 */
export function planCampaign(campaign: Campaign, facts: CheckpointFacts, numerics: string): Plan {
  const { sampling, checkpoint } = facts;
  const wanted = new Map<string, { readonly cohort: Cohort; readonly sites: Set<SiteName> }>();
  const idOf = (list: readonly TrajectoryKey[]): string => {
    const cohort = cohortOf(list, sampling);
    if (!wanted.has(cohort.id)) wanted.set(cohort.id, { cohort, sites: new Set() });
    return cohort.id;
  };
  // Most concepts retain the whole list: thousands of them hash it once.
  let whole: string | undefined;
  const retainOf = (concept: Concept): string | undefined => {
    if (campaign.retain.length === 0 || !concept.mask.sites.some(({ selection }) => isContrasting(selection)))
      return undefined;
    const kept = retainedBeside(concept, campaign.retain);
    return kept.length < campaign.retain.length ? idOf(kept) : (whole ??= idOf(kept));
  };
  const concepts = campaign.concepts.map((concept): PlannedConcept => {
    const planned = planConcept(concept, idOf(concept.target), idOf(concept.base), retainOf(concept));
    for (const { site, against } of planned.sites)
      for (const id of [planned.target, against]) wanted.get(id)?.sites.add(site);
    return planned;
  });
  concepts.sort((a, b) => (a.name < b.name ? -1 : 1));

  const cohorts = [...wanted.values()]
    .map(({ cohort, sites }) => ({ ...cohort, sites: inOrder(sites) }))
    .sort((a, b) => b.entries.length - a.entries.length || (a.id < b.id ? -1 : 1));
  const sites = factsOfSites(new Set(cohorts.flatMap((cohort) => cohort.sites)), campaign, facts);
  const { tau, window, batch } = campaign;
  const origin = { checkpoint, numerics, graph: graphVersion };
  return {
    campaign: campaign.name,
    ...origin,
    sampling,
    calls: facts.calls,
    tau,
    window,
    batch,
    cost: { unet: facts.unet, textEncoder: facts.textEncoder },
    sites,
    concepts,
    cohorts,
    units: [
      ...encodeUnits(cohorts, sites, origin, sampling, facts.textEncoder),
      ...denoiseUnits(cohorts, sites, origin, sampling, { tau, window, batch }, facts.unet),
    ],
  };
}

/** One list serves every concept of a campaign: what names a concept is no example of what stays when it goes. */
function retainedBeside({ name, target }: Concept, retain: readonly TrajectoryKey[]): readonly TrajectoryKey[] {
  const own = new Set(target.map(({ prompt }) => prompt));
  const kept = retain.filter(({ prompt }) => !own.has(prompt));
  if (kept.length === 0)
    throw invalid('retain', `all of its prompts are targets of ${name}`, 'list prompts of what must stay', ['retain']);
  return kept;
}

function planConcept(concept: Concept, target: string, base: string, retain: string | undefined): PlannedConcept {
  const { name, kind, mask } = concept;
  const sites = mask.sites.map((site): PlannedSite => {
    const against = isContrasting(site.selection) ? (retain ?? base) : base;
    return { ...site, against };
  });
  return { name, kind, selectRatio: mask.selectRatio, target, base, sites };
}

function inOrder(names: ReadonlySet<SiteName>): readonly SiteName[] {
  return allSites.map((site) => site.name).filter((name) => names.has(name));
}

function factsOfSites(wanted: ReadonlySet<SiteName>, campaign: Campaign, facts: CheckpointFacts): Plan['sites'] {
  const found = facts.sites.filter(({ site }) => wanted.has(site));
  const missing = inOrder(wanted).filter((name) => !found.some(({ site }) => site === name));
  if (missing.length > 0)
    throw invalid(
      'mask.sites',
      `the checkpoint has no layers of ${missing.join(', ')}`,
      `choose among ${facts.sites.map(({ site }) => site).join(', ')}`,
      settingOfSite(campaign, missing),
    );
  for (const { name, mask } of campaign.concepts)
    for (const { site, layers = {} } of mask.sites) {
      const known = found.find((each) => each.site === site)?.layers.map((layer) => layer.name) ?? [];
      const unknown = Object.keys(layers).find((layer) => !known.includes(layer));
      if (unknown !== undefined)
        throw invalid(
          `mask.sites.${site}.layers of ${name}`,
          `the checkpoint has no layer ${JSON.stringify(unknown.slice(0, 300))} of ${site}`,
          `choose among ${known.slice(0, 20).join(', ')}${known.length > 20 ? ` and ${known.length - 20} more` : ''}`,
          ['concepts', name, 'mask', 'sites', site, 'layers', unknown],
        );
    }
  if (campaign.tau > facts.calls && found.some(({ runs }) => runs === 'denoise'))
    throw invalid(
      'tau',
      `it is ${campaign.tau}, and a trajectory of ${facts.sampling.steps} ${facts.sampling.scheduler} steps has ${facts.calls} UNet calls`,
      'lower tau, or raise sampling.steps',
      ['tau'],
    );
  return found;
}

/** The first concept that asks for one of these sites, and where. */
function settingOfSite({ concepts }: Campaign, missing: readonly SiteName[]): Path {
  for (const { name, mask } of concepts)
    for (const { site } of mask.sites) if (missing.includes(site)) return ['concepts', name, 'mask', 'sites', site];
  return ['mask', 'sites'];
}

function invalid(where: string, why: string, next: string, setting: Path): LetheError {
  const what = 'the campaign does not fit its checkpoint';
  return new LetheError('campaign-invalid', { what, where, why, next, setting });
}
