import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { decodeMask, maskName } from '../../shared/mask/mask-file.ts';
import { decompressMask } from '../../shared/mask/mask-storage.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import type { FleetClient } from './fleet-client.ts';

/** A mask that is known, before its bytes are read. */
export interface KnownMask {
  readonly hash: string;
  readonly concept: string;
  /** That made it; undefined for a file whose campaign is not known here. */
  readonly campaign: string | undefined;
}

const suffix = '.safetensors';

/** Hex digits that name a mask, at least. */
const prefix = /^[0-9a-f]{4,64}$/;

/** Where masks that people know are kept, in the folder of the fleet. */
export function masksIn(data: string): string {
  return join(data, 'masks');
}

/** Masks of the fleet, kept as files by their hash: those once read are there without a fleet too. */
export class MaskShelf {
  readonly folder: string;
  readonly #client: FleetClient | undefined;

  /** @param folder of the files */
  constructor(folder: string, client: FleetClient | undefined) {
    this.folder = folder;
    this.#client = client;
  }

  fileOf(hash: string): string {
    return join(this.folder, `${hash}${suffix}`);
  }

  /**
   * Those of the fleet's campaigns in their order, then those of files that no campaign there has made. Candidates of `lethe
   * tune` are none of them: a hundred masks would have one name.
   */
  async list(): Promise<readonly KnownMask[]> {
    const campaigns = (await this.#client?.status()) ?? [];
    const made = campaigns.flatMap(({ campaign, concepts, trial }) =>
      (trial ? [] : concepts).flatMap(({ concept, state }): readonly KnownMask[] =>
        state?.$case === 'mask' ? [{ hash: state.value, concept, campaign }] : [],
      ),
    );
    const known = new Set(made.map(({ hash }) => hash));
    const names = (await readdir(this.folder).catch(() => [])).sort();
    const kept: KnownMask[] = [];
    for (const name of names) {
      const hash = name.slice(0, -suffix.length);
      if (!name.endsWith(suffix) || !/^[0-9a-f]{64}$/.test(hash) || known.has(hash)) continue;
      const { parts } = await this.read(hash);
      kept.push({ hash, concept: parts.map(({ concept }) => concept).join(' + '), campaign: undefined });
    }
    return [...made, ...kept];
  }

  /**
   * The mask of a name: the hash or at least four digits of its beginning, or a concept.
   *
   * @throws LetheError `mask-missing` if none or several have it.
   */
  async find(name: string): Promise<KnownMask> {
    const all = await this.list();
    const byHash = prefix.test(name) ? all.filter(({ hash }) => hash.startsWith(name)) : [];
    const named = byHash.length > 0 ? byHash : all.filter(({ concept }) => concept === name);
    // One that no campaign has made, and that was not fetched before.
    if (named.length === 0 && /^[0-9a-f]{64}$/.test(name) && this.#client !== undefined) {
      const { parts } = await this.read(name);
      return { hash: name, concept: parts.map(({ concept }) => concept).join(' + '), campaign: undefined };
    }
    const [first] = named;
    const others = new Set(named.map(({ hash }) => hash));
    if (first !== undefined && others.size === 1) return first;
    throw new LetheError('mask-missing', {
      what: 'cannot find the mask',
      where: name,
      why:
        first === undefined
          ? `no mask has this hash or concept; there are ${all.length}`
          : `several have it: ${[...others].map((hash) => hash.slice(0, 12)).join(', ')}`,
      next: '`lethe masks` lists those there are; name one by the beginning of its hash',
    });
  }

  /** A mask whose bytes have the hash. @throws LetheError `mask-missing`, `mask-invalid`, `safetensors-invalid` */
  async read(hash: string): Promise<Mask> {
    const kept = await readFile(this.fileOf(hash)).catch(() => undefined);
    if (kept !== undefined && maskName(kept) === hash) return decodeMask(kept);
    if (this.#client === undefined)
      throw new LetheError('mask-missing', {
        what: 'cannot read the mask',
        where: this.fileOf(hash),
        why:
          kept === undefined
            ? 'it is not there, and there is no fleet to ask'
            : 'it is damaged, and there is no fleet to ask',
        next: 'start the fleet with `lethe up`, or sweep the campaign again',
      });
    const bytes = await decompressMask(await this.#client.mask(hash), hash);
    const mask = decodeMask(bytes);
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const fresh = `${this.fileOf(hash)}.${process.pid}`;
    // Where weights are pruned is sensitive: who knows it can put them back.
    await writeFile(fresh, bytes, { mode: 0o600 });
    await rename(fresh, this.fileOf(hash));
    return mask;
  }
}
