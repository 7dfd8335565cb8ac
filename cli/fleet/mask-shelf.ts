import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { decodeMask, maskName } from '../../shared/mask/mask-file.ts';
import { decompressMask } from '../../shared/mask/mask-storage.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { chooseMask, type KnownMask } from './choose-mask.ts';
import type { FleetClient } from './fleet-client.ts';

const suffix = '.safetensors';

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
    const made = campaigns.flatMap(({ campaign, concepts, trial, changedAt }) =>
      (trial ? [] : concepts).flatMap(({ concept, state }): readonly KnownMask[] =>
        state?.$case === 'mask'
          ? [{ hash: state.value, concept, campaign, madeAt: changedAt === 0 ? undefined : changedAt }]
          : [],
      ),
    );
    const known = new Set(made.map(({ hash }) => hash));
    const names = (await readdir(this.folder).catch(() => [])).sort();
    const kept: KnownMask[] = [];
    for (const name of names) {
      const hash = name.slice(0, -suffix.length);
      if (!name.endsWith(suffix) || !/^[0-9a-f]{64}$/.test(hash) || known.has(hash)) continue;
      const { parts } = await this.read(hash);
      // A file is written when it is fetched, not when its mask was made.
      kept.push({ hash, concept: conceptsOf(parts), campaign: undefined, madeAt: undefined });
    }
    return [...made, ...kept];
  }

  /**
   * The mask that a name means, as `chooseMask` says.
   *
   * @throws LetheError `mask-missing`, `mask-ambiguous`
   */
  async find(name: string): Promise<KnownMask> {
    const all = await this.list();
    const hash = name.toLowerCase();
    // One that no campaign has made, and that was not fetched before.
    if (/^[0-9a-f]{64}$/.test(hash) && this.#client !== undefined && !all.some((each) => each.hash === hash)) {
      const { parts } = await this.read(hash);
      return { hash, concept: conceptsOf(parts), campaign: undefined, madeAt: undefined };
    }
    return chooseMask(name, all, (hashes) => this.#verified(hashes), Date.now());
  }

  /** Those that have passed their newest verification; none without a fleet. */
  async #verified(hashes: readonly string[]): Promise<ReadonlySet<string>> {
    const passed = new Set<string>();
    if (this.#client === undefined) return passed;
    for await (const each of this.#client.verifications(hashes)) if (each.passed) passed.add(each.mask);
    return passed;
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

/** The concepts of a mask, for people. */
function conceptsOf(parts: Mask['parts']): string {
  return parts.map(({ concept }) => concept).join(' + ');
}
