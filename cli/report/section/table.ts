import { type Html, html, type HtmlPart } from '../html.ts';

/**
 * A table whose first column names its rows. Where the screen is too narrow it scrolls by itself, by keyboard too, and
 * the page does not.
 *
 * @param rows as many cells as `head`
 */
export function tableHtml(
  caption: string,
  head: readonly HtmlPart[],
  rows: readonly (readonly [HtmlPart, ...HtmlPart[]])[],
): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([name, ...cells]) =>
            html`<tr>
              <th scope="row">${name}</th>
              ${cells.map((cell, i) => html`<td data-label="${labelOf(head[i + 1])}">${cell}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div> `;
}

/** On a narrow screen a row is a card, and each cell says which column it is of. */
function labelOf(head: HtmlPart | undefined): string {
  return typeof head === 'string' ? head : '';
}
