import type { Mask } from '../../shared/mask/mask.ts';

/** A set of masks in service: the manifest that names it, and the model prepared with it. */
export interface ServedSet<Prepared> {
  /** 0: no manifest, and nothing is pruned; only where that was asked for. */
  readonly version: number;
  /** Of the manifest; empty for version 0. */
  readonly digest: string;
  /** Hash of the mask; undefined where nothing is pruned. */
  readonly union: string | undefined;
  readonly prepared: Prepared;
}

/** A model that is made ready for one mask after another. */
export interface Preparation<Prepared> {
  /** Bytes that a mask of it can have at most. */
  readonly largestMask: number;
  /** Off the way of requests; undefined: nothing is pruned. @throws LetheError `mask-mismatch`, and of sessions */
  prepare(mask: Mask | undefined): Promise<Prepared>;
  /** Frees what nobody begins to generate with any more; what has begun ends as if this were not called. */
  release(prepared: Prepared): Promise<void>;
}
