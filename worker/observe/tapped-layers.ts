import { LetheError } from '../../shared/error/lethe-error.ts';
import { layersOf, type Site, type SiteName, sites } from '../../shared/model/site.ts';
import type { TappedLayer } from '../../shared/statistics/partial.ts';
import type { Unit } from '../../shared/unit/unit.ts';
import type { StableDiffusion } from '../diffusion/stable-diffusion.ts';

/**
 * The kind of unit that a site is observed by. Keys and values of cross-attention read the text encoder's output, `text`
 * reads inside it: neither changes with the step or the image.
 */
export function unitKindOf(site: Pick<Site, 'name' | 'component'>): Unit['kind'] {
  return site.component === 'text_encoder' || site.name === 'attn-key' || site.name === 'attn-value'
    ? 'encode'
    : 'denoise';
}

/**
 * The layers of some sites in the order of a partial: sites as `sites` lists them, whatever the order they are asked
 * for in, and layers by name.
 *
 * @throws LetheError `unit-invalid` for sites that a unit of this kind cannot observe, or none.
 */
export function tappedLayers(
  { checkpoint, built }: Pick<StableDiffusion, 'checkpoint' | 'built'>,
  kind: Unit['kind'],
  names: readonly SiteName[],
): readonly TappedLayer[] {
  const wanted = sites.filter((site) => names.includes(site.name));
  const misplaced = wanted.find((site) => unitKindOf(site) !== kind);
  if (misplaced !== undefined)
    throw invalid(misplaced.name, `the site is observed by ${unitKindOf(misplaced)} units, and this is a ${kind} unit`);
  const layers = wanted.flatMap((site) => {
    const { weights } = site.component === 'text_encoder' ? checkpoint.textEncoder : checkpoint.unet;
    return layersOf(site, weights, built[site.component]).map((layer) => ({
      site: site.name,
      name: layer.name,
      neurons: layer.in,
    }));
  });
  if (layers.length === 0) throw invalid(names.join(', '), 'the checkpoint has no layer of these sites');
  return layers;
}

function invalid(where: string, why: string): LetheError {
  return new LetheError('unit-invalid', {
    what: 'cannot observe the unit',
    where: `sites: ${where}`,
    why,
    next: 'plan the campaign again with the coordinator and workers of one release',
  });
}
