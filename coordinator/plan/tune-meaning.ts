import type { Path } from '../../shared/config/problem.ts';
import { tune as tuneSchema, type TuneFile } from './tune-schema.ts';

type Report = (at: Path, problem: string) => void;

/**
 * What is wrong with a well-formed `tune` section: names that no concept has, concepts that no label of the validation
 * prompts stands for, templates that leave a head out, a retain list that is not there.
 *
 * @param concepts names of the campaign's concepts
 */
export function checkTune(value: unknown, concepts: readonly string[], hasRetain: boolean, report: Report): void {
  const { data } = tuneSchema.safeParse(value);
  if (data === undefined) return;
  checkNames(data, concepts, report);
  checkLabels(data, concepts, report);
  const { against, selection } = data.grid ?? {};
  if (against?.includes('retain') === true && !hasRetain)
    report(['tune', 'grid', 'against', against.indexOf('retain')], 'the campaign has no retain list');
  if (against?.includes('retain') === true && selection?.includes('contrast') === false)
    report(
      ['tune', 'grid', 'against', against.indexOf('retain')],
      'only selection: contrast compares with a retain list',
    );
  for (const [i, set] of (data.grid?.sites ?? []).entries())
    if (new Set(set).size !== set.length) report(['tune', 'grid', 'sites', i], 'a site is listed twice');
}

function checkNames(
  { together = [], concepts: own = {} }: TuneFile,
  concepts: readonly string[],
  report: Report,
): void {
  const known = `known: ${concepts.slice(0, 20).join(', ')}`;
  const grouped = new Set<string>();
  for (const [i, group] of together.entries())
    for (const [j, name] of group.entries()) {
      const at = ['tune', 'together', i, j];
      if (!concepts.includes(name)) report(at, `there is no concept ${JSON.stringify(name)}; ${known}`);
      else if (grouped.has(name)) report(at, `${name} is in another group too`);
      grouped.add(name);
    }
  for (const name of Object.keys(own))
    if (!concepts.includes(name)) report(['tune', 'concepts', name], `there is no such concept; ${known}`);
}

function checkLabels({ validation }: TuneFile, concepts: readonly string[], report: Report): void {
  const { heads, templates } = validation;
  const labels = new Map<string, string>();
  for (const [head, words] of Object.entries(heads))
    for (const label of Object.keys(words)) {
      const other = labels.get(label);
      if (other !== undefined) report(['tune', 'validation', 'heads', head, label], `${other} has this label too`);
      labels.set(label, head);
    }
  for (const name of concepts)
    if (!labels.has(name))
      report(
        ['tune', 'validation', 'heads'],
        `no label is called ${JSON.stringify(name)}, so nothing tells whether it is erased`,
      );
  for (const [i, template] of templates.entries())
    for (const head of Object.keys(heads))
      if (!template.includes(`{${head}}`)) report(['tune', 'validation', 'templates', i], `it has no {${head}}`);
}
