import { densities } from '../../shared/mask/compare-masks.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { type SiteName, sites } from '../../shared/model/site.ts';

/** How much of a site's layers is pruned. */
export interface SiteDensity {
  readonly site: SiteName;
  readonly layers: number;
  readonly pruned: number;
  readonly weights: number;
  readonly density: number;
}

/** Of each site of a mask, in the order of shared/model/site.ts. */
export function siteDensities(mask: Mask): readonly SiteDensity[] {
  const layers = densities(mask);
  return sites.flatMap(({ name: site }) => {
    const own = layers.filter((layer) => layer.site === site);
    if (own.length === 0) return [];
    const pruned = own.reduce((sum, layer) => sum + layer.pruned, 0);
    const weights = own.reduce((sum, layer) => sum + layer.weights, 0);
    return [{ site, layers: own.length, pruned, weights, density: pruned / weights }];
  });
}
