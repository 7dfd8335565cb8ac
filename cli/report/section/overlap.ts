import { percent } from '../../output/figures.ts';
import { chartHtml } from '../chart/chart.ts';
import { overlapChart } from '../chart/overlap-chart.ts';
import { type Html, html } from '../html.ts';
import type { ReportData } from '../report-data.ts';
import { tableHtml } from './table.ts';

/** More squares than this nobody can read. */
const mostCharted = 24;

/** Of a thousand concepts there are half a million pairs. */
const mostListed = 100;

/** What masks prune in common: their harm adds up, and restoring one leaves what another prunes. */
export function overlapSection({ overlaps }: ReportData): Html {
  if (overlaps.length === 0) return html``;
  const names = [...new Set(overlaps.flatMap(({ first, second }) => [first, second]))];
  const sorted = overlaps.toSorted((a, b) => b.jaccard - a.jaccard);
  const left = sorted.length - mostListed;
  return html`<section aria-labelledby="overlap">
    <h2 id="overlap">Overlap between concepts</h2>
    <p>Weights that two masks both prune, as a share of those that either prunes.</p>
    ${names.length < 3 || names.length > mostCharted ? '' : chartHtml(overlapChart(names, overlaps), 'overlap-chart', 'Overlap of every two masks; the table below has the numbers')}
    ${tableHtml(
      'Masks that prune most in common',
      ['first', 'second', 'weights in both', 'share'],
      sorted
        .slice(0, mostListed)
        .map(({ first, second, both, jaccard }) => [first, second, both.toLocaleString('en-US'), percent(jaccard)]),
    )}${left > 0 ? html`<p>${left.toLocaleString('en-US')} further pairs have less in common.</p>` : ''}
  </section> `;
}
