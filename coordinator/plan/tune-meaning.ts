import type { Path } from '../../shared/config/problem.ts';
import { isContrasting } from '../../shared/method/conceptprune/settings.ts';
import { tune as tuneSchema } from './tune-schema.ts';

type Report = (at: Path, problem: string) => void;
type Raw = Readonly<Record<string, unknown>>;

/**
 * What is wrong with a well-formed `tune` section: groups of concepts that there are not, a retain list that is not there,
 * nothing to measure by.
 *
 * @param concepts names of the campaign's concepts
 */
export function tuneProblems(campaign: Raw, concepts: readonly string[], report: Report): void {
  const { data } = tuneSchema.safeParse(campaign['tune']);
  if (data === undefined) return;
  if (campaign['verify'] === undefined)
    report(
      ['tune'],
      'the campaign has no section verify, which says what images are made of and what they have to show',
    );
  checkGroups(data.together ?? [], concepts, report);
  const { against = [], selection, sites = [] } = data.grid ?? {};
  const retain = against.indexOf('retain');
  if (retain >= 0 && campaign['retain'] === undefined)
    report(['tune', 'grid', 'against', retain], 'the campaign has no retain list');
  else if (retain >= 0 && selection?.some(isContrasting) === false)
    report(['tune', 'grid', 'against', retain], 'only the selections contrast and specific compare with a retain list');
  for (const [i, set] of sites.entries())
    if (new Set(set).size !== set.length) report(['tune', 'grid', 'sites', i], 'a site is listed twice');
}

function checkGroups(groups: readonly (readonly string[])[], concepts: readonly string[], report: Report): void {
  const grouped = new Set<string>();
  for (const [i, group] of groups.entries())
    for (const [j, name] of group.entries()) {
      const at = ['tune', 'together', i, j];
      if (!concepts.includes(name))
        report(
          at,
          `there is no concept ${JSON.stringify(name.slice(0, 100))}; known: ${concepts.slice(0, 20).join(', ')}`,
        );
      else if (grouped.has(name)) report(at, `${name} is listed twice: a concept is tuned once`);
      grouped.add(name);
    }
}
