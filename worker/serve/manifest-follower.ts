import type { StoredDocument } from '../../shared/bus/documents.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { maskBlob } from '../../shared/mask/mask-blob.ts';
import type { FollowObserver } from './follow-observer.ts';
import { type Accepted, type FollowKeys, judgePublished, type Refused, refused } from './judge-published.ts';
import type { Preparation, ServedSet } from './served-set.ts';
import type { ServedStateFolder } from './served-state.ts';
import { StandingBook } from './standing-book.ts';
import { maskFault, readUnion } from './union-mask.ts';

/** Where manifests and masks are published. */
export interface ManifestSource {
  /** @throws LetheError `bus-unavailable` and the like */
  manifest(): Promise<Pick<StoredDocument, 'bytes' | 'storedAt'> | undefined>;
  /** @throws LetheError `blob-missing`, `blob-damaged`, `bus-unavailable` */
  blob(name: string): Promise<Uint8Array>;
}

/** Where a mask comes from, by its hash. */
type FetchUnion = (hash: string) => Promise<Uint8Array>;

/**
 * Keeps what is served at what is published for one checkpoint: judges the manifest, fetches its mask, checks it, prepares
 * it, and only then puts it in the place of the one before. What is refused changes nothing: the last good set stays.
 */
export class ManifestFollower<Prepared> {
  readonly #checkpoint: string;
  readonly #keys: FollowKeys;
  readonly #folder: ServedStateFolder;
  readonly #model: Preparation<Prepared>;
  readonly #observer: FollowObserver;
  readonly #book: StandingBook;
  #current: ServedSet<Prepared> | undefined;
  #next: ManifestSource | undefined;
  #looking: Promise<void> | undefined;

  /** @param initial what is served before anything is known, as a rule nothing */
  constructor(
    checkpoint: string,
    keys: FollowKeys,
    folder: ServedStateFolder,
    model: Preparation<Prepared>,
    observer: FollowObserver,
    initial?: ServedSet<Prepared>,
  ) {
    this.#checkpoint = checkpoint;
    this.#keys = keys;
    this.#folder = folder;
    this.#model = model;
    this.#observer = observer;
    this.#book = new StandingBook(observer);
    this.#current = initial;
  }

  /** What requests are to be made with; undefined before the first valid manifest. */
  get current(): ServedSet<Prepared> | undefined {
    return this.#current;
  }

  /** Why there is nothing to serve. */
  get waiting(): string {
    return this.#book.waiting;
  }

  /** Serves what was served when the process ended, as far as it is still trusted. Needs no NATS. */
  async restore(): Promise<void> {
    const { manifest } = this.#folder.state;
    if (manifest === undefined) return;
    // Judged without what was seen: a newer one may have been accepted whose mask never came.
    const judged = await judgePublished(manifest, this.#checkpoint, this.#keys, undefined);
    if (judged.kind === 'refused') {
      this.#conclude(judged);
      return;
    }
    const ready = await this.#prepare(judged, (hash) => this.#folder.keptMask(hash));
    this.#conclude(ready.kind === 'refused' ? ready : this.#swap(judged, ready, undefined));
  }

  /**
   * Looks at what is published. Looks that come meanwhile become one, which follows. Never rejects: what goes wrong is told
   * to the observer.
   */
  look(source: ManifestSource): Promise<void> {
    this.#next = source;
    this.#looking ??= this.#lookOn();
    return this.#looking;
  }

  /** NATS cannot be reached, so there is nothing to look at. */
  unreachable(error: unknown): void {
    this.#book.away(error);
  }

  async #lookOn(): Promise<void> {
    try {
      for (let source = this.#next; source !== undefined; source = this.#next) {
        this.#next = undefined;
        try {
          this.#conclude(await this.#follow(source));
        } catch (error) {
          this.#book.away(error);
        }
      }
    } finally {
      // In the same turn as the last check: who comes after it has to begin a look.
      this.#looking = undefined;
    }
  }

  /** Undefined where nothing is or was published. @throws LetheError of the bus: it is asked again */
  async #follow(source: ManifestSource): Promise<Served | Refused | undefined> {
    const { seen } = this.#folder.state;
    const published = await source.manifest();
    if (published === undefined) {
      this.#book.nothingPublished();
      return seen && refused('older-version', `nothing is published, and version ${seen.version} was seen`);
    }
    const { bytes, storedAt } = published;
    const judged = await judgePublished(bytes, this.#checkpoint, this.#keys, seen);
    if (judged.kind === 'refused') return judged;
    const { version, union } = judged.manifest;
    const now = { version, digest: judged.digest };
    try {
      // Before anything is done with it: it is the least that is accepted from now on.
      if (seen?.version !== version) await this.#folder.see(now);
      const isServed = judged.digest === this.#current?.digest;
      const ready = isServed ? undefined : await this.#prepare(judged, (hash) => source.blob(maskBlob(hash)));
      if (ready?.kind === 'refused') return ready;
      // Another key may have signed what is served already.
      await this.#folder.keep(now, bytes, union).catch((error: unknown) => {
        if (ready !== undefined && ready.prepared !== this.#current?.prepared) this.#release(ready.prepared);
        throw error;
      });
      if (ready === undefined) return { kind: 'served', ...now, seconds: this.#book.seconds };
      return this.#swap(judged, ready, Math.max(0, Date.now() - storedAt) / 1000);
    } catch (error) {
      if (isUnwritable(error)) return refused('cannot-remember', error);
      throw error;
    }
  }

  async #prepare({ manifest: { union } }: Accepted, fetch: FetchUnion): Promise<Ready<Prepared> | Refused> {
    const current = this.#current;
    // The same masks under another version, as after a rotation of keys.
    if (current !== undefined && current.version > 0 && current.union === union)
      return { kind: 'ready', prepared: current.prepared };
    try {
      if (union === undefined) return { kind: 'ready', prepared: await this.#model.prepare(undefined) };
      const stored = await fetch(union);
      const mask = await readUnion(stored, union, this.#keys.fleetKey, this.#checkpoint, this.#model.largestMask);
      await this.#folder.keepMask(union, stored);
      return { kind: 'ready', prepared: await this.#model.prepare(mask) };
    } catch (error) {
      const fault = maskFault(error);
      if (fault === 'away' || isUnwritable(error)) throw error;
      return refused(fault, error);
    }
  }

  /** Requests that begin from here on are made under it. */
  #swap({ manifest, digest }: Accepted, { prepared }: Ready<Prepared>, seconds: number | undefined): Served {
    const { version, union, masks } = manifest;
    const before = this.#current;
    this.#current = { version, digest, union, prepared };
    this.#observer.served(version, masks, seconds);
    if (before !== undefined && before.prepared !== prepared) this.#release(before.prepared);
    return { kind: 'served', version, digest, seconds };
  }

  #conclude(outcome: Served | Refused | undefined): void {
    const seen = this.#folder.state.seen?.version;
    if (outcome?.kind === 'refused') this.#book.refuse(outcome, seen);
    else if (outcome !== undefined) this.#book.accept(outcome, seen);
  }

  #release(prepared: Prepared): void {
    this.#model.release(prepared).catch((error: unknown) => {
      this.#observer.failed(error);
    });
  }
}

function isUnwritable(error: unknown): boolean {
  return error instanceof LetheError && error.code === 'write-failed';
}

interface Ready<Prepared> {
  readonly kind: 'ready';
  readonly prepared: Prepared;
}

interface Served {
  readonly kind: 'served';
  readonly version: number;
  readonly digest: string;
  readonly seconds: number | undefined;
}
