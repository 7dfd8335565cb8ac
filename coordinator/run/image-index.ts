import { imageKey } from '../../shared/unit/unit.ts';
import type { UnitPlan } from '../plan/plan.ts';
import type { RecordBook } from '../store/record-book.ts';
import type { ImagesVerdict } from '../store/verdict.ts';

/** Where an image is, or will be. */
interface Place {
  readonly job: string;
  /** Hash of the unit. */
  readonly unit: string;
  /** Index into the unit's trajectories. */
  readonly item: number;
  /** How many these are. */
  readonly items: number;
}

/** A stored image. */
export interface StoredImage {
  readonly verdict: ImagesVerdict;
  /** Index into the unit's trajectories, and how many these are. */
  readonly item: number;
  readonly items: number;
}

/** Which unit has which image: an image is found by what it depends on, whatever it was made together with. */
export class ImageIndex {
  readonly #book: RecordBook;
  readonly #places = new Map<string, Place[]>();
  readonly #jobs = new Set<string>();

  constructor(book: RecordBook) {
    this.#book = book;
  }

  /** Notes the images of a job; of one that is known already nothing. */
  add(job: string, plan: UnitPlan): void {
    if (this.#jobs.has(job)) return;
    this.#jobs.add(job);
    for (const { hash, unit } of plan.units) {
      if (unit.kind !== 'image') continue;
      for (const [item, trajectory] of unit.trajectories.entries()) {
        const key = imageKey(unit, trajectory);
        const places = this.#places.get(key) ?? [];
        this.#places.set(key, [...places, { job, unit: hash, item, items: unit.trajectories.length }]);
      }
    }
  }

  /** The image of a key, if it is stored. */
  stored(key: string): StoredImage | undefined {
    for (const { unit, item, items } of this.#places.get(key) ?? []) {
      const verdict = this.#book.settled(unit, 'image');
      if (verdict?.kind === 'images') return { verdict, item, items };
    }
    return undefined;
  }

  /** Jobs that the image of a key belongs to. */
  jobsOf(key: string): readonly string[] {
    return (this.#places.get(key) ?? []).map(({ job }) => job);
  }
}
