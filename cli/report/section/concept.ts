import { type Html, html } from '../html.ts';
import type { ReportedConcept } from '../report-data.ts';
import { densitySection } from './densities.ts';
import { imageSection } from './images.ts';
import { rateSection } from './rates.ts';
import { verdictHtml } from './summary.ts';

/** All about one concept. @param anchor id of its heading, and the beginning of the ids below it */
export function conceptSection(concept: ReportedConcept, anchor: string): Html {
  const { name, kind, mask, verdict, why } = concept;
  return html`<section aria-labelledby="${anchor}">
    <h2 id="${anchor}">${name}</h2>
    <p>${verdictHtml(verdict)} ${kind}${mask === undefined ? ', no mask' : html`, mask <code>${mask}</code>`}</p>
    ${why === '' ? '' : html`<p>${why}</p>`}
    ${rateSection(concept, anchor)}${imageSection(concept)}${densitySection(concept, anchor)}
  </section> `;
}
