import { createHash } from 'node:crypto';
import { type Html, html, trusted } from './html.ts';
import type { ReportData, ReportedConcept } from './report-data.ts';
import { reportStyle } from './report-style.ts';
import { conceptSection } from './section/concept.ts';
import { overlapSection } from './section/overlap.ts';
import { repeatSection } from './section/repeat.ts';
import { summarySection } from './section/summary.ts';
import { tradeOffSection } from './section/trade-off.ts';

/**
 * What the page may do: show its own style and images that are in it. No script, no font, no form, nothing from
 * elsewhere; a name that got past the escaping could still load and run nothing.
 */
const policy = [
  "default-src 'none'",
  'img-src data:',
  `style-src 'sha256-${createHash('sha256').update(reportStyle).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** As one piece: the policy's hash is of exactly what stands between the tags. */
const styleElement = trusted(`<style>${reportStyle}</style>`);

/** The report as one HTML file that loads nothing. Pure: the same data is the same text. */
export function renderReport(data: ReportData): string {
  const { title, campaign, concepts } = data;
  const anchors = new Map(concepts.map((concept, i) => [concept, `concept-${i}`]));
  const anchorOf = (concept: ReportedConcept): string => anchors.get(concept) ?? '';
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}: ${campaign.name}</title>
        ${styleElement}
      </head>
      <body>
        <header><h1>${title}: ${campaign.name}</h1></header>
        <nav aria-label="Sections">
          <ul>
            ${links(data, anchorOf)}
          </ul>
        </nav>
        <main>
          ${summarySection(data, anchorOf)}${concepts.map((concept) => conceptSection(concept, anchorOf(concept)))}${overlapSection(data)}${tradeOffSection(data)}${repeatSection(data)}
        </main>
      </body>
    </html> `;
  return page.html;
}

/** To the sections there are. */
function links({ concepts, overlaps, tradeOffs }: ReportData, anchorOf: (concept: ReportedConcept) => string): Html[] {
  const link = (anchor: string, text: string): Html => html`<li><a href="#${anchor}">${text}</a></li>`;
  return [
    ...(concepts.length > 0 ? [link('summary', 'Summary')] : []),
    ...concepts.map((concept) => link(anchorOf(concept), concept.name)),
    ...(overlaps.length > 0 ? [link('overlap', 'Overlap')] : []),
    ...(tradeOffs.length > 0 ? [link('trade-off', 'Trade-off')] : []),
    link('repeat', 'To repeat it'),
  ];
}
