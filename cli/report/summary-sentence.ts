import { keptShare, type ReportedConcept } from './report-data.ts';

/** Another thing counts as lost where it is recognised in less than half as many images as before. */
const lostBelow = 0.5;

/** Names of what is lost that are listed at most. */
const named = 5;

/**
 * What was found of a concept, in a sentence for who reads nothing else: from how many of the test images it is gone, at
 * least how surely, and what else was lost. Empty where no images of it were counted.
 */
export function summarySentence({ name, measures, bystanders }: ReportedConcept): string {
  const ua = measures.find((measure) => measure.name === 'UA')?.after;
  if (ua === undefined || ua.of === 0) return '';
  const gone = Math.round(ua.share * ua.of);
  const erased = `${name} is gone from ${gone} of ${ua.of} test images, at least ${Math.floor(100 * ua.low)} %`;
  const there = bystanders.filter(({ before }) => before.share > 0);
  if (there.length === 0) return `${erased}.`;
  const lost = there.filter((each) => keptShare(each) < lostBelow).toSorted((a, b) => keptShare(a) - keptShare(b));
  if (lost.length === 0) return `${erased}; none of ${there.length} other things is lost.`;
  const names = lost.slice(0, named).map((each) => each.name);
  const more = lost.length > named ? ` and ${lost.length - named} more` : '';
  return `${erased}; ${lost.length} of ${there.length} other things ${lost.length === 1 ? 'is' : 'are'} lost: ${names.join(', ')}${more}.`;
}
