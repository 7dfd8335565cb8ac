import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { ofSetting } from '../../shared/config/of-setting.ts';
import type { Path } from '../../shared/config/problem.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { canonicalJson } from '../../shared/unit/canonical-json.ts';
import type { Campaign, CampaignSampling } from './campaign.ts';
import { checkpointFacts, type DrawingFacts } from './checkpoint-facts.ts';

/**
 * What the plan needs to know of the checkpoint. Its sweep, its verification and its tuning can be drawn with it: what any
 * of them would refuse is refused here.
 *
 * @throws LetheError as `checkpointFacts`, each naming the setting.
 */
export async function campaignFacts(
  { sampling, verify, tune }: Campaign,
  checkpoint: Checkpoint,
  id: string,
): Promise<DrawingFacts> {
  const facts = await checkpointFacts(checkpoint, id, sampling);
  const sections: readonly (readonly [Path, CampaignSampling | undefined])[] = [
    [['verify', 'sampling'], verify?.sampling],
    [['tune', 'sampling'], tune?.sampling],
  ];
  const checked = new Set([canonicalJson(sampling)]);
  for (const [section, asked] of sections) {
    if (asked === undefined || checked.has(canonicalJson(asked))) continue;
    checked.add(canonicalJson(asked));
    await checkpointFacts(checkpoint, id, asked, section);
  }
  requireTunedSites(tune, facts);
  return facts;
}

function requireTunedSites(tune: Campaign['tune'], facts: DrawingFacts): void {
  const known = facts.sites.map(({ site }) => site);
  for (const [i, set] of (tune?.grid?.sites ?? []).entries())
    for (const [j, site] of set.entries())
      if (!known.includes(site))
        throw new LetheError('campaign-invalid', {
          what: 'the campaign does not fit its checkpoint',
          where: 'tune.grid.sites',
          why: `the checkpoint has no layers of ${site}`,
          next: `choose among ${known.join(', ')}`,
          setting: ['tune', 'grid', 'sites', i, j],
        });
}

/** Opens a campaign's checkpoint. @throws LetheError as `open`, naming the setting. */
export function openAsAsked<T>(
  { checkpoint, variant }: Campaign,
  open: (directory: string | undefined, variant: string | undefined) => Promise<T>,
): Promise<T> {
  return ofSetting(['checkpoint'], () => open(checkpoint, variant));
}
