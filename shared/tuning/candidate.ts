import { isContrasting, type LayerRatios, type Selection } from '../method/conceptprune/settings.ts';
import type { SiteName } from '../model/site.ts';
import { canonicalJson } from '../unit/canonical-json.ts';

/** How one site is pruned. */
export interface SiteChoice {
  readonly site: SiteName;
  readonly skillRatio: number;
  readonly selection: Selection;
  readonly margin: number;
  /** The only layers that are pruned, each with its own ratio in place of `skillRatio`; absent, all are. */
  readonly layers?: LayerRatios;
}

/** A layer that one of a candidate's masks prunes. */
export interface MaskLayer {
  readonly concept: string;
  readonly site: SiteName;
  /** Its path. */
  readonly name: string;
}

/** How one concept's mask is made. */
export interface MaskChoice {
  readonly selectRatio: number;
  /** Each site once. */
  readonly sites: readonly SiteChoice[];
}

/** What a contrast compares with: each concept's base, or the campaign's retain list. */
export type Comparison = 'base' | 'retain';

/** Masks that could be made, one for each of the concepts that will be active together. */
export interface Candidate {
  readonly against: Comparison;
  readonly masks: readonly { readonly concept: string; readonly mask: MaskChoice }[];
}

/** Tells candidates apart. */
export function candidateKey(candidate: Candidate): string {
  return canonicalJson(candidate);
}

/** For people: `ffn2 0.05 + attn-value 0.1, contrast 1.2 with base`, `ffn2 ×1.2 + text ×1.1, specific with retain`; where concepts differ, each by name. */
export function candidateText({ against, masks }: Candidate): string {
  const texts = masks.map(({ concept, mask }) => ({ concept, text: maskText(mask, against) }));
  const distinct = new Set(texts.map(({ text }) => text));
  if (distinct.size <= 1) return texts[0]?.text ?? '';
  return texts.map(({ concept, text }) => `${concept}: ${text}`).join('; ');
}

function maskText({ selectRatio, sites }: MaskChoice, against: Comparison): string {
  const ratios = sites.map(siteText).join(' + ');
  const rules = [...new Set(sites.map((site) => ruleText(site, against)))];
  const often = selectRatio === 0 ? '' : `, in more than ${selectRatio} of the steps`;
  return `${ratios}, ${rules.join(' and ')}${often}`;
}

function ruleText({ selection, margin }: SiteChoice, against: Comparison): string {
  if (!isContrasting(selection)) return selection;
  // The margin of what is specific stands with its site.
  return selection === 'specific' ? `specific with ${against}` : `${selection} ${margin} with ${against}`;
}

/** `ffn2 0.05`, of what is specific `ffn2 ×1.2`, or with the layers that it is of: `ffn2 0.05 (up_blocks.1.attentions.0)`. */
function siteText({ site, skillRatio, selection, margin, layers }: SiteChoice): string {
  const howMuch = (ratio: number): string => {
    if (selection !== 'specific') return `${site} ${ratio}`;
    return ratio === 1 ? `${site} ×${margin}` : `${site} ${ratio} ×${margin}`;
  };
  if (layers === undefined) return howMuch(skillRatio);
  const byRatio = new Map<number, string[]>();
  for (const [name, ratio] of Object.entries(layers))
    byRatio.set(ratio, [...(byRatio.get(ratio) ?? []), blockOf(name)]);
  return [...byRatio].map(([ratio, names]) => `${howMuch(ratio)} (${names.join(', ')})`).join(' + ');
}

/** Where a layer is: what its path begins with, up to the part that all layers of its site share. */
function blockOf(layer: string): string {
  return layer.replace(/^text_model\.encoder\./, '').replace(/\.(transformer_blocks|mlp)\..*$/, '');
}
