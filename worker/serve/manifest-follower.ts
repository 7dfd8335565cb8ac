import type { StoredDocument } from '../../shared/bus/documents.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { FleetKey } from '../../shared/manifest/fleet-key.ts';
import { judgeManifest } from '../../shared/manifest/judge-manifest.ts';
import type { Manifest } from '../../shared/manifest/manifest.ts';
import type { TrustList } from '../../shared/manifest/trust-list.ts';
import { maskBlob } from '../../shared/mask/mask-blob.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import type { FollowObserver, FollowRefusal } from './follow-observer.ts';
import type { ServedSet } from './served-set.ts';
import type { ServedStateFolder } from './served-state.ts';
import { maskFault, readUnion } from './union-mask.ts';

/** Where manifests and masks are published. */
export interface ManifestSource {
  /** @throws LetheError `bus-unavailable` and the like */
  manifest(): Promise<Pick<StoredDocument, 'bytes' | 'storedAt'> | undefined>;
  /** @throws LetheError `blob-missing`, `blob-damaged`, `bus-unavailable` */
  blob(name: string): Promise<Uint8Array>;
}

/** What manifests and masks are opened with. */
export interface FollowKeys {
  /** Read for every judgement: the file changes under a running process. @throws LetheError `key-invalid` */
  readonly trust: () => Promise<TrustList>;
  readonly fleetKey: FleetKey | undefined;
}

/** Makes a mask ready to generate with, off the way of requests; undefined: nothing is pruned. @throws LetheError */
export type Prepare<Prepared> = (mask: Mask | undefined) => Promise<Prepared>;

/**
 * Keeps what is served at what is published for one checkpoint: judges the manifest, fetches its mask, checks it, prepares
 * it, and only then puts it in the place of the one before. What is refused changes nothing: the last good set stays.
 */
export class ManifestFollower<Prepared> {
  readonly #checkpoint: string;
  readonly #keys: FollowKeys;
  readonly #folder: ServedStateFolder;
  readonly #prepare: Prepare<Prepared>;
  readonly #observer: FollowObserver;
  #current: ServedSet<Prepared> | undefined;
  #seconds: number | undefined;
  #refused: { readonly reason: FollowRefusal; readonly why: string } | undefined;
  #waiting = 'the published manifest has not been read yet';
  #next: ManifestSource | undefined;
  #looking: Promise<void> | undefined;

  constructor(
    checkpoint: string,
    keys: FollowKeys,
    folder: ServedStateFolder,
    prepare: Prepare<Prepared>,
    observer: FollowObserver,
  ) {
    this.#checkpoint = checkpoint;
    this.#keys = keys;
    this.#folder = folder;
    this.#prepare = prepare;
    this.#observer = observer;
  }

  /** What requests are to be made with; undefined before the first valid manifest. */
  get current(): ServedSet<Prepared> | undefined {
    return this.#current;
  }

  /** Why there is nothing to serve. */
  get waiting(): string {
    return this.#refused === undefined ? this.#waiting : `${this.#refused.reason}: ${this.#refused.why}`;
  }

  /** Serves what was served when the process ended, as far as it is still trusted. Needs no NATS. */
  async restore(): Promise<void> {
    const { manifest: bytes } = this.#folder.state;
    if (bytes === undefined) return;
    // Judged without what was seen: a newer one may have been accepted whose mask never came.
    const manifest = await this.#judge(bytes, undefined);
    if (manifest === undefined) return;
    await this.#apply(manifest, async (hash) => {
      const stored = await this.#folder.mask(hash);
      if (stored !== undefined) return stored;
      throw new LetheError('blob-missing', {
        what: 'cannot serve what was served before',
        where: hash,
        why: 'the mask is not beside the state of this process',
        next: 'it is fetched when NATS answers',
      });
    });
  }

  /**
   * Looks at what is published. Looks that come meanwhile become one, which follows. Never rejects: what goes wrong is told
   * to the observer.
   */
  look(source: ManifestSource): Promise<void> {
    this.#next = source;
    this.#looking ??= this.#lookOn().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOn(): Promise<void> {
    for (let source = this.#next; source !== undefined; source = this.#next) {
      this.#next = undefined;
      await this.#follow(source);
    }
  }

  async #follow(source: ManifestSource): Promise<void> {
    const { seen } = this.#folder.state;
    let published: Awaited<ReturnType<ManifestSource['manifest']>>;
    try {
      published = await source.manifest();
    } catch (error) {
      this.#away(error);
      return;
    }
    if (published === undefined) {
      this.#waiting = 'no masks have been published for this checkpoint yet';
      if (seen !== undefined)
        this.#refuse('older-version', `nothing is published, and version ${seen.version} was seen`);
      return;
    }
    const { bytes, storedAt } = published;
    const judged = await this.#judge(bytes, seen);
    if (judged === undefined) return;
    const fresh = judged.digest !== this.#current?.digest;
    if (!(await this.#remember(judged, bytes, fresh))) return;
    if (!fresh) this.#accept(judged.manifest);
    else await this.#apply(judged, (hash) => source.blob(maskBlob(hash)), { bytes, storedAt });
  }

  async #judge(bytes: Uint8Array, seen: ServedStateFolder['state']['seen']): Promise<Accepted | undefined> {
    let trust: TrustList;
    try {
      trust = await this.#keys.trust();
    } catch (error) {
      this.#refuse('trust-unreadable', whyOf(error));
      return undefined;
    }
    const judgement = judgeManifest(bytes, { checkpoint: this.#checkpoint, trust, seen });
    if (judgement.kind === 'accepted') return judgement;
    this.#refuse(judgement.reason, judgement.why);
    return undefined;
  }

  /** Before anything is done with it: a version that was accepted once is the least that is accepted again. */
  async #remember({ manifest, digest }: Accepted, bytes: Uint8Array, fresh: boolean): Promise<boolean> {
    const { seen, manifest: kept } = this.#folder.state;
    const now = { version: manifest.version, digest };
    try {
      if (!fresh && (kept === undefined || Buffer.compare(kept, bytes) !== 0))
        await this.#folder.keep(now, bytes, manifest.union);
      else if (seen?.version !== manifest.version) await this.#folder.see(now);
      return true;
    } catch (error) {
      this.#refuse('cannot-remember', whyOf(error));
      return false;
    }
  }

  /** @param published what it was read as; undefined for what was kept */
  async #apply(
    { manifest, digest }: Accepted,
    blob: (hash: string) => Promise<Uint8Array>,
    published?: { readonly bytes: Uint8Array; readonly storedAt: number },
  ): Promise<void> {
    const { version, union } = manifest;
    let prepared: Prepared;
    let stored: Uint8Array | undefined;
    try {
      stored = union === undefined ? undefined : await blob(union);
      const mask =
        union === undefined || stored === undefined
          ? undefined
          : await readUnion(stored, union, this.#keys.fleetKey, this.#checkpoint);
      prepared = await this.#prepare(mask);
    } catch (error) {
      const fault = maskFault(error);
      if (fault === 'away') this.#away(error);
      else this.#refuse(fault, whyOf(error));
      return;
    }
    if (published !== undefined) {
      try {
        if (union !== undefined && stored !== undefined) await this.#folder.keepMask(union, stored);
        await this.#folder.keep({ version, digest }, published.bytes, union);
      } catch (error) {
        this.#refuse('cannot-remember', whyOf(error));
        return;
      }
    }
    this.#current = { version, digest, prepared };
    this.#seconds = published === undefined ? undefined : Math.max(0, Date.now() - published.storedAt) / 1000;
    this.#observer.served(version, manifest.masks, this.#seconds);
    this.#accept(manifest);
  }

  #accept({ version }: Manifest): void {
    if (this.#refused !== undefined) this.#observer.resolved(version);
    this.#refused = undefined;
    this.#tell();
  }

  /** The same again is not told again: what is published is read many times. */
  #refuse(reason: FollowRefusal, why: string): void {
    if (this.#refused?.reason === reason && this.#refused.why === why) return;
    this.#refused = { reason, why };
    this.#observer.refused(reason, why);
    this.#tell();
  }

  #away(error: unknown): void {
    this.#waiting = `NATS does not answer: ${whyOf(error)}`;
    this.#observer.away(error);
  }

  #tell(): void {
    const { seen } = this.#folder.state;
    const served = this.#current && {
      version: this.#current.version,
      digest: this.#current.digest,
      seconds: this.#seconds,
    };
    this.#observer.standing({ served, seen: seen?.version, refused: this.#refused });
  }
}

interface Accepted {
  readonly manifest: Manifest;
  readonly digest: string;
}

function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
