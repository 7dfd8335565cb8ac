import type { CampaignEvent, ConceptState } from '../../gen/fleet/v1/campaign.ts';
import type { ManifestResponse } from '../../gen/fleet/v1/mask.ts';
import type { Failure } from '../../gen/fleet/v1/unit.ts';
import type { ServingRow } from '../fleet/await-serving.ts';
import type { MaskShelf } from '../fleet/mask-shelf.ts';
import { type SiteDensity, siteDensities } from '../fleet/site-densities.ts';
import { escaped } from './escape.ts';
import { countOf, duration, percent, shortHash } from './figures.ts';
import { servingText } from './serving-rows.ts';
import { table } from './table.ts';

/** What a sweep has come to. */
export interface SweepSummary {
  readonly campaign: string;
  readonly units: { readonly total: number; readonly done: number; readonly failed: number };
  /** UNet calls times trajectories: made in this run, of all units, and what the procedure of the paper takes. */
  readonly unetCalls: { readonly made: number; readonly total: number; readonly reference: number };
  readonly seconds: number;
  readonly concepts: readonly ConceptSummary[];
  /** Folder of the masks. */
  readonly masks: string;
  /** What is active now, if the masks were applied. */
  readonly manifest?: ManifestResponse;
  /** Then a row a process that serves, and those that have not taken it over. */
  readonly processes?: readonly ServingRow[];
  readonly missing?: readonly string[];
}

export interface ConceptSummary {
  readonly concept: string;
  readonly mask?: string;
  /** Where the mask lies. */
  readonly file?: string;
  readonly sites: readonly SiteDensity[];
  readonly failure?: Failure;
}

/** Reads every mask to its file and counts what it prunes. */
export async function conceptSummaries(state: CampaignEvent, shelf: MaskShelf): Promise<readonly ConceptSummary[]> {
  const summaries: ConceptSummary[] = [];
  for (const concept of state.concepts) summaries.push(await conceptSummary(concept, shelf));
  return summaries;
}

async function conceptSummary({ concept, state }: ConceptState, shelf: MaskShelf): Promise<ConceptSummary> {
  if (state?.$case === 'failure') return { concept, sites: [], failure: state.value };
  if (state?.$case !== 'mask') return { concept, sites: [] };
  const sites = siteDensities(await shelf.read(state.value));
  return { concept, mask: state.value, file: shelf.fileOf(state.value), sites };
}

/** The summary for people. */
export function summaryText(summary: SweepSummary): string {
  const { campaign, units, unetCalls, seconds, concepts, masks, manifest, processes = [] } = summary;
  const rows = concepts.flatMap(({ concept, mask, sites, failure }): (readonly (string | number)[])[] => {
    if (mask === undefined) return [[concept, '', '', '', failure === undefined ? 'none' : `failed: ${failure.why}`]];
    return sites.map(({ site, layers, density }, i) => [
      i === 0 ? concept : '',
      site,
      layers,
      percent(density),
      i === 0 ? shortHash(mask) : '',
    ]);
  });
  const { made, total, reference } = unetCalls;
  const ratio = total === 0 ? '' : `, ${(reference / total).toFixed(1)} times as many`;
  const failed = units.failed === 0 ? '' : `, ${countOf(units.failed)} failed`;
  return [
    table([['concept', 'site', 'layers', 'pruned', 'mask'], ...rows]),
    '',
    `campaign    ${campaign}`,
    `units       ${countOf(units.done)} of ${countOf(units.total)}${failed}`,
    `UNet calls  ${countOf(made)} made now, ${countOf(total)} in all; the reference makes ${countOf(reference)}${ratio}`,
    `time        ${duration(seconds)}`,
    `masks       ${escaped(masks)}`,
    ...(manifest === undefined
      ? []
      : [
          `active      version ${manifest.version}: ${manifest.masks.map(({ concept }) => escaped(concept)).join(', ')}`,
          '',
          servingText(processes),
        ]),
  ].join('\n');
}
