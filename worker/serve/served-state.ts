import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { SeenManifest } from '../../shared/manifest/judge-manifest.ts';
import { hashSchema, versionSchema } from '../../shared/manifest/manifest.ts';
import { canonicalJson } from '../../shared/unit/canonical-json.ts';
import { contentHash } from '../../shared/unit/content-hash.ts';
import { writeDurably } from './durable-file.ts';

const stateFile = 'state.json';
const schema = z.strictObject({
  format: z.literal('lethe-served-1'),
  checkpoint: z.string(),
  seen: z.strictObject({ version: versionSchema, digest: hashSchema }),
  /** Of the last set that was served, as it was published: base64. */
  manifest: z.base64().optional(),
});
type Stored = z.infer<typeof schema>;

/** What a serving process must not forget when it ends. */
export interface ServedState {
  /** The highest version accepted; undefined where nothing ever was. */
  readonly seen: SeenManifest | undefined;
  /** The bytes of the manifest that was served last. */
  readonly manifest: Uint8Array | undefined;
}

/**
 * The folder that keeps that state for one checkpoint: `state.json` with a checksum, and beside it the mask as it was
 * fetched, sealed where it was sealed. One process has it at a time.
 */
export class ServedStateFolder {
  readonly #folder: string;
  readonly #checkpoint: string;
  #state: ServedState;

  private constructor(folder: string, checkpoint: string, state: ServedState) {
    this.#folder = folder;
    this.#checkpoint = checkpoint;
    this.#state = state;
  }

  /**
   * @param root holds a folder for every checkpoint
   * @throws LetheError `state-damaged` for a file that says nothing certain: taking it for none would let an older manifest
   *   in again. `write-failed` if the folder cannot be made.
   */
  static async open(root: string, checkpoint: string): Promise<ServedStateFolder> {
    const folder = join(root, checkpoint.replaceAll(/[^A-Za-z0-9]/g, '-'));
    const path = join(folder, stateFile);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const text = await readFile(path, 'utf8');
      return new ServedStateFolder(folder, checkpoint, stateOf(text, path, checkpoint));
    } catch (cause) {
      if (cause instanceof LetheError) throw cause;
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
        return new ServedStateFolder(folder, checkpoint, { seen: undefined, manifest: undefined });
      throw damaged(path, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  get state(): ServedState {
    return this.#state;
  }

  /** Remembers a version before anything is done with it. @throws LetheError `write-failed` */
  async see(seen: SeenManifest): Promise<void> {
    await this.#store({ ...this.#state, seen });
  }

  /** Keeps a mask as it was fetched. @param hash of what it holds. @throws LetheError `write-failed` */
  async keepMask(hash: string, stored: Uint8Array): Promise<void> {
    await writeDurably(this.#maskFile(hash), stored);
  }

  /**
   * Keeps the manifest that is served from now on.
   *
   * @param union its mask, which was kept before; others are removed. Undefined where nothing is pruned
   * @throws LetheError `write-failed`
   */
  async keep(seen: SeenManifest, manifest: Uint8Array, union?: string): Promise<void> {
    await this.#store({ seen, manifest });
    const kept = union === undefined ? '' : maskName(union);
    for (const each of await readdir(this.#folder).catch(() => []))
      if (each.endsWith('.mask') && each !== kept) await rm(join(this.#folder, each), { force: true });
  }

  /** The stored bytes of a mask that was kept, to be checked against its hash. @throws LetheError `blob-missing` */
  async keptMask(hash: string): Promise<Uint8Array> {
    try {
      return await readFile(this.#maskFile(hash));
    } catch (cause) {
      throw new LetheError('blob-missing', {
        what: 'cannot serve what was served before',
        where: this.#maskFile(hash),
        why: cause instanceof Error ? cause.message : String(cause),
        next: 'it is fetched when NATS answers',
        cause,
      });
    }
  }

  async #store(state: ServedState): Promise<void> {
    const { seen, manifest } = state;
    if (seen === undefined) return;
    const encoded = manifest === undefined ? {} : { manifest: Buffer.from(manifest).toString('base64') };
    const stored: Stored = { format: 'lethe-served-1', checkpoint: this.#checkpoint, seen: { ...seen }, ...encoded };
    const text = canonicalJson({ ...stored, checksum: checksumOf(stored) });
    await writeDurably(join(this.#folder, stateFile), Buffer.from(`${text}\n`, 'utf8'));
    this.#state = state;
  }

  #maskFile(hash: string): string {
    return join(this.#folder, maskName(hash));
  }
}

const maskName = (hash: string): string => `${hash}.mask`;

function checksumOf(stored: Stored): string {
  return contentHash('served 1', stored);
}

function stateOf(text: string, path: string, checkpoint: string): ServedState {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(path, 'it is not JSON', cause);
  }
  const { data, error } = schema.extend({ checksum: hashSchema }).safeParse(value);
  if (data === undefined)
    throw damaged(path, `${error.issues[0]?.path.join('.') ?? ''}: ${error.issues[0]?.message ?? ''}`);
  const { checksum, ...stored } = data;
  if (checksumOf(stored) !== checksum) throw damaged(path, 'its checksum is not that of what it says');
  if (stored.checkpoint !== checkpoint) throw damaged(path, `it is of ${stored.checkpoint}, not of ${checkpoint}`);
  const manifest = stored.manifest === undefined ? undefined : new Uint8Array(Buffer.from(stored.manifest, 'base64'));
  return { seen: stored.seen, manifest };
}

function damaged(where: string, why: string, cause?: unknown): LetheError {
  return new LetheError('state-damaged', {
    what: 'cannot tell which masks were served here before',
    where,
    why,
    next: 'restore the file from a copy; if there is none, look at `lethe history`, then delete the file: the process then accepts any version that a trusted key has signed, an older one too',
    cause,
  });
}
