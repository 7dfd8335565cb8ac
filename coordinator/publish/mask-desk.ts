import type { AuditRecord } from '../../shared/bus/audit-log.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { manifestDigest } from '../../shared/manifest/manifest.ts';
import type { ActiveMask } from '../../shared/manifest/manifest.ts';
import type { AuditContext, HistoryEntry, MaskService, ServingProcess, ServingState } from '../api/mask-service.ts';
import type { Store } from '../store/store.ts';
import { CatchingUp } from './catching-up.ts';
import type { ChangeCause } from './manifest-change.ts';
import { publishChange, type Published } from './publish-change.ts';
import { maskBlob } from './publish-mask.ts';
import { catchUp, type Publication } from './publish-record.ts';
import { baseOf, readManifest, readStanding } from './standing.ts';
import { TestedImages } from './tested-images.ts';
import { recordVerification, type TestImages, type Verification, verificationOf } from './verification.ts';
import { versions } from './versions.ts';

/** Notes of verifications that are read together. */
const verificationsAtOnce = 64;

/** Lists the processes that serve a checkpoint. */
export type ServingList = (checkpoint: string) => Promise<readonly ServingProcess[]>;

/** The highest version that serving processes report; 0 for none. */
export async function highestServed(servers: ServingList, checkpoint: string): Promise<number> {
  return (await servers(checkpoint)).reduce((most, { version = 0, seen = 0 }) => Math.max(most, version, seen), 0);
}

/** What people and scripts ask of masks. */
export class MaskDesk implements MaskService {
  readonly #publication: Publication;
  readonly #store: Store;
  readonly #servers: ServingList;
  readonly #catching: CatchingUp;

  constructor(store: Store, publication: Publication, servers: ServingList) {
    this.#store = store;
    this.#publication = publication;
    this.#servers = servers;
    this.#catching = new CatchingUp(publication);
  }

  read(hash: string): Promise<Uint8Array> {
    return this.#store.masks.get(maskBlob(hash));
  }

  apply(
    checkpoint: string,
    apply: readonly ActiveMask[],
    restore: readonly string[],
    cause: ChangeCause,
    dryRun = false,
  ): Promise<Published> {
    return publishChange(this.#publication, checkpoint, { kind: 'change', apply, restore }, cause, dryRun);
  }

  rollback(checkpoint: string, target: number, cause: ChangeCause, dryRun = false): Promise<Published> {
    return publishChange(this.#publication, checkpoint, { kind: 'rollback', target }, cause, dryRun);
  }

  async *sign(key: string, cause: ChangeCause): AsyncGenerator<Published, void> {
    const own = await this.#publication.keyring.signing();
    if (own.id !== key)
      throw new LetheError('signing-unavailable', {
        what: `this coordinator cannot sign with key ${key}`,
        why: `it signs with ${own.id}`,
        next: 'mount the new signing key and trust list at every coordinator, then rotate again',
      });
    const trust = await this.#publication.keyring.trust();
    for (const checkpoint of await this.#checkpoints()) {
      await catchUp(this.#publication, checkpoint);
      const standing = await readStanding(this.#store, checkpoint, trust);
      // Nothing there is a coordinator's: it must not keep the rest from being signed.
      if (baseOf(standing) === undefined) {
        this.#publication.log.warn({ checkpoint }, 'a manifest that nobody vouches for is not signed anew');
        continue;
      }
      const opened = standing.manifest?.opened;
      if (opened?.kind === 'opened' && opened.key.id === key)
        yield { manifest: opened.body, digest: manifestDigest(opened.body), changed: false };
      else yield await publishChange(this.#publication, checkpoint, { kind: 'sign' }, cause);
    }
  }

  async *active(): AsyncGenerator<{ readonly checkpoint: string; readonly published: Published | undefined }, void> {
    const trust = await this.#publication.keyring.trust();
    for (const checkpoint of await this.#checkpoints()) {
      const opened = (await readManifest(this.#store, checkpoint, trust))?.opened;
      const manifest = opened?.kind === 'opened' ? opened.body : undefined;
      yield { checkpoint, published: manifest && { manifest, digest: manifestDigest(manifest), changed: false } };
    }
  }

  async *history(checkpoint: string, limit: number): AsyncGenerator<HistoryEntry, void> {
    const trust = await this.#publication.keyring.trust();
    const opened = (await readManifest(this.#store, checkpoint, trust))?.opened;
    const published = opened?.kind === 'opened' ? opened.body.version : 0;
    const last: Omit<HistoryEntry, 'tested'>[] = [];
    const tested = new TestedImages(this.#store);
    for await (const record of versions(this.#store.audit, checkpoint, trust)) {
      const entry = { record, published: record.version <= published };
      if (limit === 0) yield { ...entry, tested: await tested.of(record) };
      else if (last.push(entry) > limit) last.shift();
    }
    for (const entry of last) yield { ...entry, tested: await tested.of(entry.record) };
  }

  async auditContext(checkpoint: string): Promise<AuditContext> {
    const trust = await this.#publication.keyring.trust();
    return { trust, manifest: (await this.#store.manifests.read(checkpoint))?.bytes };
  }

  audit(checkpoint: string): AsyncGenerator<AuditRecord, void> {
    return this.#store.audit.list(checkpoint);
  }

  async serving(checkpoint: string): Promise<ServingState> {
    const trust = await this.#publication.keyring.trust();
    const opened = (await readManifest(this.#store, checkpoint, trust))?.opened;
    const published =
      opened?.kind === 'opened' ? { version: opened.body.version, digest: manifestDigest(opened.body) } : undefined;
    const processes = await this.#servers(checkpoint);
    return {
      published,
      processes: processes.map((each) => ({
        ...each,
        missing: published !== undefined && (each.version !== published.version || each.digest !== published.digest),
      })),
    };
  }

  /** Of every checkpoint with a manifest. */
  async states(): Promise<readonly { readonly checkpoint: string; readonly serving: ServingState }[]> {
    const checkpoints = await this.#checkpoints();
    return Promise.all(
      checkpoints.map(async (checkpoint) => ({ checkpoint, serving: await this.serving(checkpoint) })),
    );
  }

  async *verifications(masks: readonly string[]): AsyncGenerator<Verification, void> {
    // A list of masks is read by people: a few dozen at once keep it quick, and NATS free for the rest.
    for (let at = 0; at < masks.length; at += verificationsAtOnce) {
      const batch = masks.slice(at, at + verificationsAtOnce);
      const found = await Promise.all(batch.map((mask) => verificationOf(this.#store, mask)));
      yield* found.filter((each) => each !== undefined);
    }
  }

  async recordVerification(
    mask: string,
    checkpoint: string,
    passed: boolean,
    report: Uint8Array,
    images: TestImages | undefined,
  ): Promise<string> {
    if (!(await this.#store.masks.has(maskBlob(mask))))
      throw new LetheError('mask-missing', {
        what: 'cannot record the verification',
        where: mask,
        why: 'no mask has this hash',
        next: '`lethe masks` lists those there are',
      });
    const { now } = this.#publication;
    return (await recordVerification(this.#store, { mask, checkpoint, passed, images }, report, now())).report;
  }

  /** Publishes what other coordinators have decided and not published, as when they were killed in between. */
  async catchUp(): Promise<void> {
    for (const checkpoint of await this.#store.audit.checkpoints()) await this.#catching.run(checkpoint);
  }

  /** Of every record and every manifest: those of a build that kept no records too. */
  async #checkpoints(): Promise<readonly string[]> {
    const found = new Set(await this.#store.audit.checkpoints());
    const stop = new AbortController();
    for await (const event of this.#store.manifests.watch(stop.signal)) {
      if (event.kind === 'current') break;
      if (event.kind === 'document') found.add(event.document.key);
    }
    stop.abort();
    return [...found].sort();
  }
}
