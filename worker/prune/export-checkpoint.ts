import { constants } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, open, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { readJsonFile } from '../../shared/checkpoint/json-file.ts';
import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { danglingLink } from '../../shared/checkpoint/regular-file.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Fill } from './fill-pruned.ts';
import { filledBytes, type PrunedTensor, prunedTensors } from './pruned-tensors.ts';
import type { Pruning } from './pruning.ts';
import { writeWhole } from './write-whole.ts';

/** How files that do not change get into an export. */
export type Unchanged = 'copy' | 'link';

export interface ExportedCheckpoint {
  /** Weight matrices that differ from the checkpoint's. */
  readonly tensors: number;
  /** Files with unpruned weights that are not in the export, by their place in the checkpoint. */
  readonly leftOut: readonly string[];
}

/** Weights in whatever format, and indices of their shards. */
const weightFile = /\.(?:safetensors|bin|ckpt|pt|pth|onnx|onnx_data|pb|msgpack|h5|gguf)$|\.index(?:\.[^.]+)?\.json$/;

/** What the unpruned model may have drawn. */
const picture = /\.(?:png|jpe?g|webp|gif|avif)$/i;

/**
 * Writes the pruned checkpoint into an empty folder, as diffusers lays it out. Shards, names, dtypes and metadata stay; the
 * files with pruned weights are copied and changed in place, a tensor at a time. Everything else is copied or linked, but
 * for other weights in the root and below the folders of pruned models (variants, pickles, single files): they are not pruned.
 *
 * @throws LetheError `safetensors-invalid`, `tensor-mismatch`; what the file system says
 */
export async function exportCheckpoint(
  checkpoint: Checkpoint,
  pruning: Pruning,
  fill: Fill,
  unchanged: Unchanged,
  folder: string,
): Promise<ExportedCheckpoint> {
  const { unet, textEncoder, vae } = checkpoint;
  const tensors = prunedTensors(checkpoint, pruning);
  const models = [checkpoint.unet, checkpoint.textEncoder].filter((each) =>
    tensors.some(({ component }) => component === each),
  );
  const chosen = new Set(models.flatMap(({ weights }) => weights.files.map(({ path }) => path)));
  const guarded = new Set(['', ...models.map(({ name }) => name)]);
  const leftOut: string[] = [];
  const places = await placesOf(checkpoint);
  // Weights that the checkpoint uses may lie elsewhere: they are its own all the same.
  const own = new Set([unet, textEncoder, vae].flatMap(({ weights }) => weights.files.map(({ path }) => path)));

  const copyFolder = async (at: string): Promise<void> => {
    const [component = ''] = at.split(sep);
    await mkdir(join(folder, at), { recursive: true });
    // Names that begin with a dot are caches of hubs and of version control.
    for (const name of (await readdir(join(checkpoint.directory, at))).filter((each) => !each.startsWith('.')).sort()) {
      if (picture.test(name)) continue;
      const entry = join(checkpoint.directory, at, name);
      const isLink = (await lstat(entry)).isSymbolicLink();
      const source = await realpath(entry).catch(async (cause: unknown) => {
        throw isLink ? refused(join(at, name), danglingLink(await readlink(entry)), cause) : cause;
      });
      const target = join(folder, at, name);
      if (!places.some((place) => source.startsWith(place)) && !own.has(source)) throw outside(join(at, name), source);
      const found = await stat(source);
      // It may lead to a folder above itself, or name the weights of a pruned model as another part's.
      if (isLink && found.isDirectory()) throw refused(join(at, name), `it is a link to the folder ${source}`);
      if (found.isDirectory()) await copyFolder(join(at, name));
      else if (!found.isFile()) throw outside(join(at, name), source);
      else if (guarded.has(component) && weightFile.test(name) && !(await isOf(source, name, chosen)))
        leftOut.push(join(at, name));
      else {
        const pruned = tensors.filter(({ location }) => location.file === source);
        if (pruned.length > 0) await writePruned(source, target, pruned, fill);
        else
          await (unchanged === 'link'
            ? linkOrCopy(source, target)
            : copyFile(source, target, constants.COPYFILE_FICLONE));
      }
    }
  };
  await copyFolder('');
  return { tensors: tensors.length, leftOut };
}

/** Whether a file is one of the chosen, or an index of chosen files alone. */
async function isOf(source: string, name: string, chosen: ReadonlySet<string>): Promise<boolean> {
  if (!name.endsWith('.json')) return chosen.has(source);
  const map = (await readJsonFile(source))['weight_map'];
  const names = new Set([...chosen].map((path) => basename(path)));
  return Object.values(map ?? {}).every((shard) => names.has(String(shard)));
}

async function writePruned(
  source: string,
  target: string,
  tensors: readonly PrunedTensor[],
  fill: Fill,
): Promise<void> {
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  // A copy keeps the mode, and caches of hubs are read-only.
  await chmod(target, 0o644);
  const file = await open(target, 'r+');
  try {
    for (const tensor of tensors) await writeWhole(file, await filledBytes(tensor, fill), tensor.location.begin);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A link where both are on one file system. */
async function linkOrCopy(source: string, target: string): Promise<void> {
  await link(source, target).catch(() => copyFile(source, target));
}

/**
 * Where files of the checkpoint may lie: its own folder; and, where it is a snapshot of a hub's cache (models--X/snapshots/Y),
 * the cache's blobs, which its links lead to.
 */
async function placesOf({ directory }: Checkpoint): Promise<readonly string[]> {
  const own = await realpath(directory);
  const cache = dirname(dirname(own));
  const isSnapshot = basename(dirname(own)) === 'snapshots';
  return [own, ...(isSnapshot ? [join(cache, 'blobs')] : [])].map((place) => `${place}${sep}`);
}

/** What a link leads to out there may be anybody's: a secret would be handed on with the export. */
function outside(name: string, target: string): LetheError {
  return refused(name, `it leads to ${target}, which is no regular file of the checkpoint`);
}

function refused(name: string, why: string, cause?: unknown): LetheError {
  return new LetheError('checkpoint-layout', {
    what: 'cannot export the checkpoint',
    where: name,
    why,
    next: 'remove it, or put the file or folder itself there',
    cause,
  });
}
