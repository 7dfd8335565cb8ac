/** A member of a cohort, as it is divided into units. */
export interface Item<T> {
  readonly id: string;
  readonly value: T;
  /** How often it counts; 0 or more. */
  readonly count: number;
}

/** Items that make one unit, and whose they are. */
export interface Batch<T> {
  readonly values: readonly T[];
  readonly members: readonly { readonly cohort: string; readonly item: number; readonly count: number }[];
}

/**
 * Divides cohorts into batches of at most `size`, every distinct item in one of them only.
 *
 * Each cohort is cut into batches by itself, in its own order; then what an earlier cohort has is left out. So a batch
 * depends on its own cohort and on what it shares with earlier ones: an added cohort changes no batch that it does not
 * meet (docs/decision/006-how-cohorts-become-units.md).
 */
export function batchesOf<T>(
  cohorts: readonly { readonly id: string; readonly items: readonly Item<T>[] }[],
  size: number,
): readonly Batch<T>[] {
  const batches: { readonly values: T[]; readonly members: Batch<T>['members'][number][] }[] = [];
  const places = new Map<string, { readonly batch: number; readonly item: number }>();
  for (const { id: cohort, items } of cohorts) {
    for (let from = 0; from < items.length; from += size) {
      const added: T[] = [];
      for (const { id, value } of items.slice(from, from + size)) {
        if (places.has(id)) continue;
        places.set(id, { batch: batches.length, item: added.length });
        added.push(value);
      }
      if (added.length > 0) batches.push({ values: added, members: [] });
    }
    for (const { id, count } of items) {
      const place = places.get(id);
      if (place !== undefined && count > 0) batches[place.batch]?.members.push({ cohort, item: place.item, count });
    }
  }
  return batches;
}
