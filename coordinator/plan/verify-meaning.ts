import type { Path } from '../../shared/config/problem.ts';
import { headsOf } from '../../shared/verification/prompt-template.ts';
import { conceptVerification, verification } from './verify-schema.ts';

type Raw = Readonly<Record<string, unknown>>;

const nothingAsked = 'nothing is asked of its mask: give thresholds, here or under verify';

/** What is wrong with sections about verification that are each well formed; whether labels exist, the classifier knows. */
export function verificationProblems(
  campaign: Raw,
  concepts: readonly unknown[],
  report: (at: Path, problem: string) => void,
): void {
  const own = verification.safeParse(campaign['verify']).data;
  if (own !== undefined) checkLabels(own.prompts, own.labels ?? {}, ['verify', 'labels'], report);
  if (own?.thresholds?.balance !== undefined)
    report(['verify', 'thresholds', 'balance'], 'it is of a concept with sides: name it there');
  for (const [i, value] of concepts.entries()) {
    const concept: Raw = typeof value === 'object' && value !== null ? (value as Raw) : {};
    const section = concept['verify'];
    const at = ['concepts', i, 'verify'];
    if (section === undefined) {
      if (own !== undefined && own.thresholds === undefined) report(['concepts', i], nothingAsked);
      continue;
    }
    if (campaign['verify'] === undefined)
      report(at, 'the campaign has no section verify, which says what test images are made of');
    const { data } = conceptVerification.safeParse(section);
    if (data === undefined) continue;
    const { sides, head, label, thresholds = {}, together = {}, prompts, labels = {}, alternatives } = data;
    const asked = sides === undefined ? { ...own?.thresholds, ...thresholds } : thresholds;
    if (own !== undefined && Object.keys(asked).length === 0) report(at, nothingAsked);
    checkLabels(prompts ?? own?.prompts ?? [], labels, [...at, 'labels'], report);
    if (sides === undefined) {
      for (const [key, given] of Object.entries({ thresholds, together }))
        if (given.balance !== undefined) report([...at, key, 'balance'], 'it is of a concept with sides');
      continue;
    }
    if (concept['kind'] !== 'gender') report([...at, 'sides'], 'sides are of a concept of kind gender');
    if (head === undefined) report([...at, 'sides'], 'name the head that tells them apart: head is missing');
    if (alternatives !== undefined)
      report([...at, 'alternatives'], 'a concept with sides has no other words: give it more prompts');
    if (label !== undefined)
      report([...at, 'label'], 'a concept with sides is measured by their shares, and has no label');
    for (const [key, given] of Object.entries({ thresholds, together }))
      for (const measure of ['ua', 'ira', 'cra'] as const)
        if (given[measure] !== undefined) report([...at, key, measure], 'a concept with sides is measured by balance');
  }
}

function checkLabels(
  templates: readonly string[],
  labels: NonNullable<(typeof verification)['_output']['labels']>,
  at: Path,
  report: (at: Path, problem: string) => void,
): void {
  const heads = new Set(templates.flatMap(headsOf));
  for (const [head, { only, without }] of Object.entries(labels)) {
    if (!heads.has(head))
      report([...at, head], `no prompt has a place for it; there are ${[...heads].join(', ') || 'none'}`);
    if (only !== undefined && without !== undefined) report([...at, head], 'it has either only or without');
  }
}
