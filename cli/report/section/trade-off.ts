import { percent } from '../../output/figures.ts';
import { chartHtml } from '../chart/chart.ts';
import { tradeOffChart } from '../chart/trade-off-chart.ts';
import { rateText } from '../figures.ts';
import { type Html, html } from '../html.ts';
import type { ReportData, ReportedTradeOff, ReportedTrial } from '../report-data.ts';
import { tableHtml } from './table.ts';

/** What tuning tried: how much was erased and kept for how many pruned weights. */
export function tradeOffSection({ tradeOffs }: ReportData): Html {
  if (tradeOffs.length === 0) return html``;
  return html`<section aria-labelledby="trade-off">
    <h2 id="trade-off">Trade-off</h2>
    <p>
      Masks that were tried on validation images. Large marks are those that no other beats in density, erasure and what
      is kept at once; the ringed one was chosen. What is kept is the accuracy on the worst kept domain as a share of
      before.
    </p>
    ${tradeOffs.map(curveHtml)}
  </section> `;
}

function curveHtml({ concepts, trials }: ReportedTradeOff, index: number): Html {
  const names = concepts.join(', ');
  const sorted = trials.toSorted((a, b) => a.density - b.density);
  const [front, rest] = [sorted.filter(({ front }) => front), sorted.filter(({ front }) => !front)];
  return html`<h3>${names}</h3>
    ${chartHtml(tradeOffChart(trials), `trade-off-${index}`, `Erased and kept over density for ${names}; the table below has the numbers`)}
    ${trialTable(`${names}: masks that no other beats`, front)}
    ${
      rest.length === 0
        ? ''
        : html`<details>
            <summary>${rest.length} others that were tried for ${names}</summary>
            ${trialTable(`${names}: masks that another beats`, rest)}
          </details>`
    }`;
}

function trialTable(caption: string, trials: readonly ReportedTrial[]): Html {
  return tableHtml(
    caption,
    ['mask', 'density', 'target erased', 'others kept'],
    trials.map(({ label, density, erased, kept, chosen }) => [
      html`${label}${chosen ? ' (chosen)' : ''}`,
      percent(density),
      rateText(erased),
      rateText(kept),
    ]),
  );
}
