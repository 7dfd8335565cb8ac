/** A set of masks in service: the manifest that names it, and the model prepared with it. */
export interface ServedSet<Prepared> {
  /** 0: no manifest, and nothing is pruned; only where that was asked for. */
  readonly version: number;
  /** Of the manifest; empty for version 0. */
  readonly digest: string;
  readonly prepared: Prepared;
}
