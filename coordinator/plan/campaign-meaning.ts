import { closest } from '../../shared/config/closest.ts';
import { keyText, type Path, type Problem } from '../../shared/config/problem.ts';
import type { YamlFile } from '../../shared/config/yaml-file.ts';
import { conceptKey } from '../../shared/mask/same-concept.ts';
import { tuneProblems } from './tune-meaning.ts';
import { promptSource } from './campaign-parts.ts';
import { concept as conceptSchema, maskSettings, maxConcepts } from './campaign-schema.ts';
import { expandPrompts, inStyle, maxPrompts, promptCount, type PromptEntry } from './prompt-list.ts';
import { verificationProblems } from './verify-meaning.ts';

type Raw = Readonly<Record<string, unknown>>;
/** Prompts of all concepts together, with multiplicity: what a plan can be made of in memory. */
const maxListed = 2_000_000;

type Report = (at: Path, problem: string) => void;

const { name: nameSchema, phrase: phraseSchema } = conceptSchema.shape;

/**
 * What is wrong with a campaign whose values are each well formed: sections that contradict each other, names that
 * nothing has. Looks at every section that is well formed by itself, whatever is wrong elsewhere.
 */
export function meaningProblems(file: YamlFile): readonly Problem[] {
  const problems: Problem[] = [];
  const report: Report = (at, problem) => {
    problems.push({ offset: file.offsetOf(at), key: keyText(at), problem });
  };
  const campaign = mapOf(file.value);
  if (campaign === undefined) return problems;
  const { tau = 10, window } = campaign;
  if (typeof tau === 'number' && typeof window === 'number' && window > tau)
    report(['window'], `a window of ${window} steps is longer than tau, ${tau}`);
  checkMask(campaign['mask'], ['mask'], undefined, report);

  const lists = promptLists(campaign['prompts'], report);
  const sourceAt = (value: unknown, at: Path): readonly PromptEntry[] | undefined => sourceOf(value, at, lists, report);
  sourceAt(campaign['retain'], ['retain']);

  const concepts = Array.isArray(campaign['concepts']) ? (campaign['concepts'] as readonly unknown[]) : [];
  const named = new Map<string, number>();
  let listed = 0;
  for (const [i, value] of concepts.slice(0, maxConcepts).entries()) {
    const concept = mapOf(value);
    if (concept === undefined) continue;
    const at = ['concepts', i];
    checkName(concept['name'], i, named, report);
    checkMask(concept['mask'], [...at, 'mask'], campaign['mask'], report);
    const before = listed;
    listed += checkPrompts(concept, at, sourceAt, report);
    if (before <= maxListed && listed > maxListed)
      report(at, `the concepts up to here list more than ${maxListed} prompts; make several campaigns of them`);
  }
  tuneProblems(
    campaign,
    [...named.values()].map((i) => String(mapOf(concepts[i])?.['name'])),
    report,
  );
  verificationProblems(campaign, concepts.slice(0, maxConcepts), report);
  return problems;
}

/** A name is one in every spelling and letter case: it becomes the name of files and keys, and of what is active. */
function checkName(value: unknown, i: number, named: Map<string, number>, report: Report): void {
  const name = nameSchema.safeParse(value).data;
  if (name === undefined) return;
  const key = conceptKey(name);
  const other = named.get(key);
  if (other !== undefined) report(['concepts', i, 'name'], `concepts[${other}] has this name too`);
  else named.set(key, i);
}

/**
 * The prompts of a concept: target and base, or things and a phrase; pairs, and seeds for each.
 *
 * @returns how many prompts it lists, with multiplicity.
 */
function checkPrompts(
  concept: Raw,
  at: Path,
  sourceAt: (value: unknown, at: Path) => readonly PromptEntry[] | undefined,
  report: Report,
): number {
  const given = (['target', 'base', 'things', 'phrase'] as const).filter((key) => concept[key] !== undefined);
  const form = given.join(' and ');
  if (form !== 'target and base' && form !== 'things and phrase')
    report(
      at,
      `a concept has target and base, or things and phrase; this one has ${form === '' ? 'none of them' : form}`,
    );
  const target = sourceAt(concept['target'], [...at, 'target']);
  const base = sourceAt(concept['base'], [...at, 'base']);
  const things = sourceAt(concept['things'], [...at, 'things']);
  const pairs = target ?? things;
  if (target !== undefined && base !== undefined) {
    const [targets, bases] = [promptCount(target), promptCount(base)];
    if (targets !== bases)
      report([...at, 'base'], `it has ${bases} prompts and target has ${targets}; they are compared in pairs`);
    else if (targets <= maxPrompts && sameList(target, base))
      report([...at, 'base'], 'it is the same list as target: nothing tells the concept apart');
  }
  const phrase = phraseSchema.safeParse(concept['phrase']).data;
  if (phrase?.includes('{}') === true && inStyle('', phrase).trim() === '')
    report([...at, 'phrase'], 'it adds nothing to the thing');

  const seeds = concept['seeds'];
  if (seeds === undefined && concept['kind'] === 'gender')
    report(at, 'a concept of kind gender names a seed for every pair: seeds is missing');
  if (Array.isArray(seeds) && pairs !== undefined && seeds.length !== promptCount(pairs))
    report([...at, 'seeds'], `there are ${seeds.length} seeds for ${promptCount(pairs)} pairs`);
  return 2 * promptCount(pairs ?? []);
}

function sameList(a: readonly PromptEntry[], b: readonly PromptEntry[]): boolean {
  const [left, right] = [expandPrompts(a), expandPrompts(b)];
  return left.every((prompt, i) => prompt === right[i]);
}

/** The lists under `prompts`; one that is malformed is known, and has no value. */
function promptLists(value: unknown, report: Report): ReadonlyMap<string, readonly PromptEntry[] | undefined> {
  const lists = new Map<string, readonly PromptEntry[] | undefined>();
  for (const [name, list] of Object.entries(mapOf(value) ?? {})) {
    const entries = Array.isArray(list) ? entriesOf(list, ['prompts', name], report) : undefined;
    lists.set(name, entries);
  }
  return lists;
}

function sourceOf(
  value: unknown,
  at: Path,
  lists: ReadonlyMap<string, readonly PromptEntry[] | undefined>,
  report: Report,
): readonly PromptEntry[] | undefined {
  if (typeof value !== 'string') return entriesOf(value, at, report);
  if (lists.has(value)) return lists.get(value);
  const known = [...lists.keys()];
  const meant = closest(value, known);
  const hint =
    meant !== undefined
      ? `did you mean ${meant}?`
      : known.length === 0
        ? 'write a list of prompts here, or name one under prompts'
        : `known: ${known.slice(0, 20).join(', ')}`;
  report(at, `there is no list ${JSON.stringify(value.slice(0, 100))} under prompts; ${hint}`);
  return undefined;
}

function entriesOf(value: unknown, at: Path, report: Report): readonly PromptEntry[] | undefined {
  const { data } = promptSource.safeParse(value);
  if (data === undefined || typeof data === 'string') return undefined;
  const count = promptCount(data);
  if (count <= maxPrompts) return data;
  report(at, `it stands for ${count} prompts; at most ${maxPrompts} are taken`);
  return undefined;
}

/** `inherited` is the campaign's own mask section, where `value` is a concept's. */
function checkMask(value: unknown, at: Path, inherited: unknown, report: Report): void {
  const { sites } = maskSettings.safeParse(value).data ?? {};
  if (sites === undefined) return;
  const above = maskSettings.safeParse(inherited).data?.sites ?? {};
  const names = Object.keys(sites) as (keyof typeof sites)[];
  if (names.length === 0) report([...at, 'sites'], 'it names no site; leave it out for the default');
  for (const name of names) {
    const selection = sites[name]?.selection ?? above[name]?.selection ?? 'reference';
    if (sites[name]?.margin !== undefined && selection === 'reference')
      report(
        [...at, 'sites', name, 'margin'],
        'a margin is of contrast and specific, and this site has selection: reference',
      );
    if (sites[name]?.layers !== undefined && sites[name].skill_ratio !== undefined)
      report([...at, 'sites', name, 'skill_ratio'], 'the ratios are those that layers give: leave one of the two out');
  }
}

function mapOf(value: unknown): Raw | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : undefined;
}
