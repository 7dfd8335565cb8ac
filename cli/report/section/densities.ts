import { percent } from '../../output/figures.ts';
import { chartHtml } from '../chart/chart.ts';
import { densityChart } from '../chart/density-chart.ts';
import { type Html, html } from '../html.ts';
import type { ReportedConcept } from '../report-data.ts';
import { tableHtml } from './table.ts';

/** How much of every layer a concept's mask prunes. */
export function densitySection({ name, densities }: ReportedConcept, anchor: string): Html {
  if (densities.length === 0) return html``;
  const pruned = densities.reduce((sum, layer) => sum + layer.pruned, 0);
  const weights = densities.reduce((sum, layer) => sum + layer.weights, 0);
  return html`<h3>Densities</h3>
    <p>
      ${pruned.toLocaleString('en-US')} of ${weights.toLocaleString('en-US')} weights of these layers are pruned:
      ${percent(pruned / Math.max(weights, 1))}.
    </p>
    ${chartHtml(densityChart(densities), `${anchor}-densities`, `Share of each layer's weights that the mask of ${name} prunes; the table below has the numbers`)}
    <details>
      <summary>Densities of ${name} as a table</summary>
      ${tableHtml(
        `${name}: pruned weights by layer`,
        ['layer', 'site', 'pruned', 'weights', 'density'],
        densities.map((layer) => [
          html`<code>${layer.name}</code>`,
          layer.site,
          layer.pruned.toLocaleString('en-US'),
          layer.weights.toLocaleString('en-US'),
          percent(layer.density),
        ]),
      )}
    </details> `;
}
