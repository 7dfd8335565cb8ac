/** Text that is HTML already. Everything else is escaped where it is put into a page. */
export interface Html {
  readonly html: string;
}

/** What may stand in a template: text, numbers, HTML, or a list of these one after the other. */
export type HtmlPart = string | number | Html | readonly HtmlPart[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Control characters, halves of surrogate pairs and non-characters have no place in HTML; bidirectional overrides would
 * reorder what stands around them.
 */
const unprintable = /(?![\t\n\r])[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]|[\u202a-\u202e\u2066-\u2069]/gu;

/** Text with a replacement character for everything that cannot be shown. */
export function printable(text: string): string {
  return text.replace(unprintable, '\ufffd');
}

/** Text as it may stand between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/**
 * A piece of a page: html`<p title="${name}">${prompt}</p>`. Attributes that hold text must be quoted. Names of concepts
 * and prompts come from whoever wrote the campaign and are never markup.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return { html: strings.reduce((page, text, i) => page + write(parts[i - 1] ?? '') + text) };
}

/** Markup that was made elsewhere and holds nothing that came from outside unescaped. */
export function trusted(markup: string): Html {
  return { html: markup };
}

function write(part: HtmlPart): string {
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  return 'html' in part ? part.html : part.map(write).join('');
}
