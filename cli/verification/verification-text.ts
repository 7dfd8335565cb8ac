import { escaped } from '../output/escape.ts';
import { table } from '../output/table.ts';
import type { Kept } from '../../shared/verification/erasure.ts';
import type { Interval, Rate } from '../../shared/verification/rate.ts';
import type { Verdict } from '../../shared/verification/verdict.ts';
import type { ConceptResult, VariantResult } from './measure-tests.ts';
import type { PromptReuse } from './prompt-reuse.ts';

/** Labels of the rest that are listed, those kept least first; --json has all. */
const listed = 8;

/** What was measured, for people: a table of concepts, what the others have lost, and other words for the concepts. */
export function verificationText(results: readonly VariantResult[], reuse: PromptReuse, isFirstLook = false): string {
  return [
    erasureTable(results, isFirstLook),
    balanceTable(results, isFirstLook),
    ...results.map((result) => othersTable(result)),
    alternativesTable(results),
    ...results.flatMap(({ title, concepts }) =>
      concepts.flatMap(({ concept, verdict }) => {
        const why = whyOf(verdict);
        return why === ''
          ? []
          : [escaped(`${concept}${title === concept ? '' : ` (${title})`}: ${verdict.kind}: ${why}`)];
      }),
    ),
    reuseText(reuse),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function erasureTable(results: readonly VariantResult[], isFirstLook: boolean): string {
  const rows = rowsOf(results, (title, { concept, measured, verdict }) => {
    if (measured.kind !== 'erasure') return [];
    const { before, ua, ira, cra, worst, distance } = measured.erasure;
    const kept = worst === undefined ? '' : `${worst.label} ${share(worst.share)}`;
    return [
      [
        title,
        concept,
        share(before.rate),
        rate(ua),
        keptShare(ira),
        keptShare(cra),
        kept,
        figure(distance),
        shownVerdict(verdict, isFirstLook),
      ],
    ];
  });
  const heading = ['masks', 'concept', 'before', 'UA', 'IRA', 'CRA', 'worst kept', 'distance', 'verdict'];
  return rows.length === 0 ? '' : table([heading, ...rows]);
}

function balanceTable(results: readonly VariantResult[], isFirstLook: boolean): string {
  const rows = rowsOf(results, (title, { concept, measured, verdict }) => {
    if (measured.kind !== 'balance') return [];
    const { sides, unclear } = measured.balance;
    return [...sides, { label: 'none of them', ...unclear }].map(({ label, before, after }) => [
      title,
      concept,
      label,
      rate(before),
      rate(after),
      shownVerdict(verdict, isFirstLook),
    ]);
  });
  return rows.length === 0 ? '' : table([['masks', 'concept', 'side', 'before', 'after', 'verdict'], ...rows]);
}

/** What else the prompts name, before and after: of one variant all its concepts have the same rest. */
function othersTable({ title, concepts }: VariantResult): string {
  const [erasure] = concepts.flatMap(({ measured }) => (measured.kind === 'erasure' ? [measured.erasure] : []));
  if (erasure === undefined) return '';
  const sorted = erasure.others.toSorted((a, b) => (a.share ?? Infinity) - (b.share ?? Infinity));
  const rows = sorted
    .slice(0, listed)
    .map(({ head, label, before, after }) => [title, head, label, rate(before), rate(after)]);
  const more = sorted.length > listed ? `\n(and ${sorted.length - listed} that are kept better)` : '';
  return rows.length === 0 ? '' : `${table([['masks', 'head', 'others', 'before', 'after'], ...rows])}${more}`;
}

function alternativesTable(results: readonly VariantResult[]): string {
  const rows = rowsOf(results, (title, { concept, alternatives }) =>
    alternatives.map(({ kind, prompts, before, erased, testable }) => [
      title,
      concept,
      kind,
      String(prompts),
      rate(before),
      testable ? rate(erased) : 'not testable',
    ]),
  );
  if (rows.length === 0) return '';
  return table([['masks', 'concept', 'other words', 'prompts', 'recognised before', 'erased'], ...rows]);
}

/** Empty where every test prompt is new to the sweep. */
export function reuseText({ targets, rest }: PromptReuse): string {
  if (targets.swept + rest.swept === 0) return '';
  const some = `${targets.swept} of ${targets.prompts} test prompts of targets and ${rest.swept} of ${rest.prompts} of the rest`;
  return `${some} were swept too, from other seeds: their noise is new, their words are not`;
}

function rowsOf(
  results: readonly VariantResult[],
  of: (title: string, concept: ConceptResult) => readonly (readonly string[])[],
): readonly (readonly string[])[] {
  return results.flatMap(({ title, concepts }) => concepts.flatMap((concept) => of(title, concept)));
}

/** What is shown of a verdict: on fewer images than the campaign asks for nothing has passed yet. */
export function shownVerdict({ kind }: Verdict, isFirstLook: boolean): Verdict['kind'] | 'preliminary' {
  return kind === 'passed' && isFirstLook ? 'preliminary' : kind;
}

/** Why a verdict is what it is; empty for one that passed. */
export function whyOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'passed':
      return '';
    case 'not testable':
      return verdict.why;
    case 'failed':
      return verdict.misses
        .map(({ measure, value, least }) => `${measure} is ${figure(value)}, and ${least} is asked for`)
        .join('; ');
  }
}

function rate({ rate: value, interval }: Rate): string {
  return `${share(value)} ${span(interval)}`;
}

function keptShare({ share: value, interval }: Kept): string {
  return value === undefined ? 'never there' : `${share(value)} ${span(interval)}`;
}

function span({ low, high }: Interval): string {
  return `[${share(low)}, ${share(high)}]`;
}

function share(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(2);
}

function figure(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(4);
}
