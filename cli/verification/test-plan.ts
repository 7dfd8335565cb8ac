import type {
  AlternativeKind,
  Campaign,
  Concept,
  TestPromptSource,
  Verification,
} from '../../coordinator/plan/campaign.ts';
import { closest } from '../../shared/config/closest.ts';
import { keyText, type Path } from '../../shared/config/problem.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { headsOf } from '../../shared/verification/prompt-template.ts';
import type { Label } from '../../shared/verification/test-image.ts';
import { promptsWith, promptsWithout, type TestPool, type TestPrompt } from '../../shared/verification/test-prompts.ts';

/** Masks that are active together in a test, and the concepts that they are to erase. */
export interface Variant {
  /** For people: a concept, or several. */
  readonly title: string;
  /** Hashes. */
  readonly masks: readonly string[];
  /** Names. */
  readonly concepts: readonly string[];
}

/** How a concept is tested. */
export interface ConceptTest {
  readonly concept: Concept;
  /** What the classifier is to see no more, or the head whose sides are compared. */
  readonly target: Label | { readonly head: string; readonly sides: readonly string[] };
  /** Prompts that name the target; of a concept with sides those that name none of them. */
  readonly targets: readonly TestPrompt[];
  readonly alternatives: readonly { readonly kind: AlternativeKind; readonly prompts: readonly TestPrompt[] }[];
}

/** A variant and all that is drawn for it. */
export interface VariantTest {
  readonly variant: Variant;
  readonly tests: readonly ConceptTest[];
  /** Prompts that name no target of the variant. */
  readonly rest: readonly TestPrompt[];
}

/** Refuses a setting of the campaign. */
type Refuse = (setting: Path, why: string) => never;

/**
 * What is drawn to verify masks: pure, so that the same campaign, classifier and masks are always tested alike.
 *
 * @param heads labels of the classifier, by head
 * @param source of the campaign, for messages
 * @throws LetheError `campaign-invalid` for labels that the classifier does not have, prompts that name no target, and a
 *   campaign that says nothing of its verification.
 */
export function testPlan(
  campaign: Campaign,
  heads: Readonly<Record<string, readonly string[]>>,
  variants: readonly Variant[],
  source: string,
): readonly VariantTest[] {
  const { verify } = campaign;
  if (verify === undefined)
    throw invalid(source, ['verify'], 'it is missing: nothing says what test images are made of');
  const refuse: Refuse = (setting, why) => {
    throw invalid(source, setting, why);
  };
  const pool = poolOf(verify.prompts, verify.seed, heads, ['verify'], refuse);
  const known = new Map(campaign.concepts.map((concept) => [concept.name, concept]));
  const tests = new Map<string, ConceptTest>();
  const testOf = (name: string): ConceptTest => {
    const concept = known.get(name) ?? refuse(['concepts'], `there is no concept ${JSON.stringify(name)} to verify`);
    const test = tests.get(name) ?? conceptTest(concept, verify, pool, heads, refuse);
    tests.set(name, test);
    return test;
  };
  return variants.map((variant) => {
    const own = variant.concepts.map(testOf);
    const targets = own.flatMap(({ target }) => ('label' in target ? [target] : []));
    return { variant, tests: own, rest: promptsWithout(pool, targets, verify.images) };
  });
}

function conceptTest(
  { name, ...rest }: Concept,
  { images, alternativeImages, seed }: Verification,
  campaignPool: TestPool,
  heads: Readonly<Record<string, readonly string[]>>,
  refuse: Refuse,
): ConceptTest {
  const concept = { name, ...rest };
  const { verify } = concept;
  const where = ['concepts', name, 'verify'];
  const pool = verify.prompts === undefined ? campaignPool : poolOf(verify.prompts, seed, heads, where, refuse);
  const alternatives = verify.alternatives.map(({ kind, prompts }) => ({
    kind,
    prompts: prompts.flatMap((prompt) =>
      Array.from({ length: alternativeImages }, (_, i) => ({
        prompt,
        seed: String(BigInt(seed) + BigInt(i)),
        asked: {},
      })),
    ),
  }));
  if (verify.sides.length > 0) {
    const head = verify.head ?? '';
    if (heads[head] === undefined) noHead(head, heads, [...where, 'head'], refuse);
    for (const [i, side] of verify.sides.entries())
      requireLabel({ head, label: side }, heads, [...where, 'sides', i], refuse);
    return { concept, target: { head, sides: verify.sides }, targets: promptsWithout(pool, [], images), alternatives };
  }
  const target = targetOf(concept, heads, where, refuse);
  const targets = promptsWith(pool, target, images);
  if (targets.length === 0)
    refuse(
      [...where, 'prompts'],
      `no test prompt names ${target.label}: give prompts with a place for {${target.head}}`,
    );
  return { concept, target, targets, alternatives };
}

/** What the classifier is to see no more: the label by its own head, or by the only one that has it. */
function targetOf(
  { name, verify }: Concept,
  heads: Readonly<Record<string, readonly string[]>>,
  where: Path,
  refuse: Refuse,
): Label {
  const { head, label = name } = verify;
  // Without a label of its own, the concept's name is the word.
  const wordAt = verify.label === undefined ? ['concepts', name, 'name'] : [...where, 'label'];
  if (head !== undefined) {
    if (heads[head] === undefined) noHead(head, heads, [...where, 'head'], refuse);
    requireLabel({ head, label }, heads, wordAt, refuse);
    return { head, label };
  }
  const having = Object.keys(heads).filter((each) => heads[each]?.includes(label) === true);
  const [only] = having;
  if (only !== undefined && having.length === 1) return { head: only, label };
  if (having.length > 1)
    refuse([...where, 'head'], `the heads ${having.join(', ')} have the label ${JSON.stringify(label)}: name one`);
  return noLabel(label, Object.values(heads).flat(), wordAt, refuse);
}

function poolOf(
  { templates, labels }: TestPromptSource,
  seed: string,
  heads: Readonly<Record<string, readonly string[]>>,
  where: Path,
  refuse: Refuse,
): TestPool {
  const used = [...new Set(templates.flatMap(headsOf))];
  for (const head of used)
    if (heads[head] === undefined) {
      const i = templates.findIndex((template) => headsOf(template).includes(head));
      noHead(head, heads, [...where, 'prompts', i], refuse);
    }
  for (const [head, { only = [], without, phrases }] of Object.entries(labels))
    for (const [key, labels] of Object.entries({ only, without, phrases: Object.keys(phrases) }))
      for (const [i, label] of labels.entries())
        requireLabel({ head, label }, heads, [...where, 'labels', head, key, key === 'phrases' ? label : i], refuse);
  return {
    templates,
    labels: Object.fromEntries(
      used.map((head) => {
        const { only, without = [] } = labels[head] ?? {};
        return [head, (only ?? heads[head] ?? []).filter((label) => !without.includes(label))];
      }),
    ),
    phrases: Object.fromEntries(Object.entries(labels).map(([head, { phrases }]) => [head, phrases])),
    seed: BigInt(seed),
  };
}

function requireLabel(
  { head, label }: Label,
  heads: Readonly<Record<string, readonly string[]>>,
  where: Path,
  refuse: Refuse,
): void {
  const labels = heads[head] ?? noHead(head, heads, where, refuse);
  if (!labels.includes(label)) noLabel(label, labels, where, refuse);
}

function noHead(head: string, heads: Readonly<Record<string, readonly string[]>>, where: Path, refuse: Refuse): never {
  const meant = closest(head, Object.keys(heads));
  const hint = meant === undefined ? `it has ${Object.keys(heads).join(', ')}` : `did you mean ${meant}?`;
  return refuse(where, `the classifier has no head ${JSON.stringify(head)}; ${hint}`);
}

function noLabel(label: string, known: readonly string[], where: Path, refuse: Refuse): never {
  const meant = closest(label, known);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return refuse(where, `the classifier has no label ${JSON.stringify(label)}${hint}`);
}

function invalid(source: string, setting: Path, why: string): LetheError {
  return new LetheError('campaign-invalid', {
    what: 'cannot verify the campaign',
    where: `${source}: ${keyText(setting)}`,
    why,
    next: 'see "Verification" in docs/guide/campaign.md',
    setting,
  });
}
