import { type Html, html } from '../html.ts';
import { keptShare, type ReportData, type ReportedConcept } from '../report-data.ts';
import { rateText, sharePercent } from '../figures.ts';
import { summarySentence } from '../summary-sentence.ts';
import { tableHtml } from './table.ts';

/** Every concept in a row: its verdict, what was measured, who suffered most. */
export function summarySection(
  { concepts, firstLook }: ReportData,
  anchorOf: (concept: ReportedConcept) => string,
): Html {
  if (concepts.length === 0) return html``;
  const rows = concepts.map((concept) => {
    const { name, kind, verdict, measures, worst } = concept;
    return [
      html`<a href="#${anchorOf(concept)}">${name}</a>`,
      kind,
      verdictHtml(verdict),
      measures.map((measure) => html`<div><b>${measure.name}</b> ${rateText(measure.after)}</div>`),
      worst === undefined ? '' : `${worst.name}: ${sharePercent(keptShare(worst))} of before`,
    ] as const;
  });
  return html`<section aria-labelledby="summary">
    <h2 id="summary">Summary</h2>
    ${
      firstLook === undefined
        ? ''
        : html`<p class="banner" role="note">
            First look: ${firstLook.images} of ${firstLook.asked} images; not recorded.
          </p>`
    }
    ${concepts.map(summarySentence).flatMap((sentence) => (sentence === '' ? [] : [html`<p>${sentence}</p>`]))}
    ${tableHtml('Concepts and verdicts', ['concept', 'kind', 'verdict', 'measured after, with 95 % intervals', 'worst kept'], rows)}
  </section> `;
}

/** A word with a colour: the word alone says it. */
export function verdictHtml(verdict: ReportedConcept['verdict']): Html {
  return html`<span class="verdict ${verdict.replaceAll(' ', '-')}">${verdict}</span>`;
}
