import { chartHtml } from '../chart/chart.ts';
import { rateChart } from '../chart/rate-chart.ts';
import { rateText, sharePercent } from '../figures.ts';
import { type Html, html } from '../html.ts';
import { type Bystander, keptShare, type Measure, type Rate, type ReportedConcept } from '../report-data.ts';
import { tableHtml } from './table.ts';

/** Of bystanders the chart shows so many, the worst kept; the table has all. */
const charted = 16;

/** A rate of fewer images is folded away. */
const fewImages = 5;

/** What was measured of a concept, and how every other concept and style fared. */
export function rateSection(concept: ReportedConcept, anchor: string): Html {
  const { name, measures, bystanders, worst, distance } = concept;
  if (measures.length + bystanders.length === 0) return html``;
  const sorted = bystanders.toSorted((a, b) => keptShare(a) - keptShare(b) || (a.name < b.name ? -1 : 1));
  const rows = [...measures, ...sorted.slice(0, charted)];
  return html`<h3>Rates</h3>
    ${worst === undefined ? '' : html`<p>Worst kept: <b>${worst.name}</b> (${worst.domain}), ${sharePercent(keptShare(worst))} of before.</p>`}
    ${distance === undefined ? '' : html`<p>Images that should not change: mean pixel distance ${distance.toFixed(4)} of 1.</p>`}
    ${chartHtml(rateChart(rows), `${anchor}-rates`, `Rates of ${name} before and after; the tables below have the numbers`)}
    ${measures.length === 0 ? '' : measureTable(name, measures)}
    ${bystanders.length === 0 ? '' : bystanderTable(name, sorted)}`;
}

function measureTable(name: string, measures: readonly Measure[]): Html {
  return tableHtml(
    `${name}: what was measured`,
    ['measure', 'before', 'after', 'asked for'],
    measures.map((measure) => [
      html`${measure.name} <span class="quiet">${measure.meaning}</span>`,
      optional(measure.before),
      rateText(measure.after),
      measure.least === undefined ? '' : `at least ${sharePercent(measure.least)}`,
    ]),
  );
}

function bystanderTable(name: string, bystanders: readonly Bystander[]): Html {
  const table = (caption: string, rows: readonly Bystander[]): Html =>
    tableHtml(
      caption,
      ['recognised', 'domain', 'before', 'after'],
      rows.map((each) => [each.name, each.domain, rateText(each.before), rateText(each.after)]),
    );
  const many = bystanders.filter(({ after }) => after.of >= fewImages);
  const few = bystanders.filter(({ after }) => after.of < fewImages);
  return html`${many.length === 0 ? '' : table(`${name}: other concepts and styles, worst kept first`, many)}
  ${
    few.length === 0
      ? ''
      : html`<details>
          <summary>${few.length} of fewer than ${fewImages} images, which say little each</summary>
          ${table(`${name}: others of fewer than ${fewImages} images`, few)}
        </details>`
  }`;
}

function optional(rate: Rate | undefined): string {
  return rate === undefined ? '' : rateText(rate);
}
