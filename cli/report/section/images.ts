import { type Html, html } from '../html.ts';
import type { ImagePair, ReportedConcept } from '../report-data.ts';

/** Images before and after, side by side. Veiled, each pair is blurred until its box is ticked. */
export function imageSection({ name, isVeiled, images }: ReportedConcept): Html {
  if (images.length === 0) return html``;
  return html`<h3>Images before and after</h3>
    <p>
      Each pair is sampled from the same
      noise.${isVeiled ? ' These are blurred: click one, or tick its box, to see it.' : ''}
    </p>
    <ul class="pairs" aria-label="Images of ${name}">
      ${images.map((pair) => html`<li>${pairHtml(pair, isVeiled)}</li>`)}
    </ul> `;
}

function pairHtml(pair: ImagePair, isVeiled: boolean): Html {
  const both = html`<span class="pair">${imageHtml(pair, 'before')}${imageHtml(pair, 'after')}</span>`;
  // A label makes the whole pair a place to click, and a checkbox is reached and ticked by keyboard without a script.
  const shown = isVeiled
    ? html`<label class="veil"
        ><span class="reveal"><input type="checkbox" aria-label="Show: ${caption(pair)}" /> show</span>${both}</label
      >`
    : both;
  return html`<figure>
    ${shown}
    <figcaption>${caption(pair)}${seenHtml(pair)}</figcaption>
  </figure>`;
}

function imageHtml(pair: ImagePair, when: 'before' | 'after'): Html {
  const source = `data:image/png;base64,${Buffer.from(pair[when]).toString('base64')}`;
  return html`<span class="image"
    ><span class="frame"><img src="${source}" alt="${when}: ${caption(pair)}" decoding="async" /></span
    ><span class="when">${when}</span></span
  >`;
}

function caption({ prompt, seed }: ImagePair): string {
  return `${prompt === '' ? '(empty prompt)' : prompt}, seed ${seed}`;
}

function seenHtml({ seenBefore, seenAfter }: ImagePair): Html {
  if (seenBefore === undefined && seenAfter === undefined) return html``;
  return html`<br /><span class="quiet"
      >seen as ${seenBefore ?? 'not looked at'} before, ${seenAfter ?? 'not looked at'} after</span
    >`;
}
