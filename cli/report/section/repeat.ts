import { type Html, html } from '../html.ts';
import type { ReportData } from '../report-data.ts';

/** Everything that somebody else needs to get the same numbers. */
export function repeatSection({ campaign, checkpoint, made, settings }: ReportData): Html {
  const rows = [
    { name: 'campaign', value: `${campaign.name} (${campaign.id})` },
    { name: 'checkpoint', value: `${checkpoint.name} (${checkpoint.id})` },
    { name: 'made', value: made },
    ...settings,
  ];
  return html`<section aria-labelledby="repeat">
    <h2 id="repeat">To repeat it</h2>
    <dl>
      ${rows.map(
        ({ name, value }) =>
          html`<dt>${name}</dt>
            <dd><code>${value}</code></dd>`,
      )}
    </dl>
  </section> `;
}
