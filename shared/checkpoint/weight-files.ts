import { configInvalid, type JsonObject, readJsonFile } from './json-file.ts';
import { checkpointLayout, contents, type Listing, optionalFile, requiredFile } from './checkpoint-layout.ts';
import { LetheError } from '../error/lethe-error.ts';
import type { ComponentName } from './tensor-names.ts';

/** The files that hold a component's weights, chosen from what is in its folder. */
export interface WeightFiles {
  /** The variant in their names, such as `fp16`; absent for the plain names. */
  readonly variant?: string;
  /** In the order of their names; as found, links not followed. */
  readonly paths: readonly string[];
  /** Of an index: the file that each tensor is said to be in, by the tensor's stored name. */
  readonly shardOf?: ReadonlyMap<string, string>;
}

/** Taken where there are no plain weights and no variant is asked for: the same weights at half the size. */
const variantsOfPrecision = ['fp16', 'bf16'];

/** Files that torch.save writes. */
export const pickledName = /\.(?:bin|ckpt|pt|pth)$/;

/** How a library names its files, and which it takes if both one file and an index of shards are there. */
interface Naming {
  readonly stem: string;
  readonly first: 'index' | 'file';
}

/** diffusers 0.29: models/modeling_utils.py `from_pretrained`; transformers 4.44: modeling_utils.py `from_pretrained`. */
const namings: Readonly<Record<ComponentName, Naming>> = {
  unet: { stem: 'diffusion_pytorch_model', first: 'index' },
  vae: { stem: 'diffusion_pytorch_model', first: 'index' },
  text_encoder: { stem: 'model', first: 'file' },
};

/**
 * Chooses the weights in a component's folder. With a `variant`, its files, or the plain ones where the folder has none
 * of it, as diffusers does; without, the plain ones, or else fp16 or bf16. Throws 'checkpoint-pickled' if there are only
 * pickles, 'checkpoint-layout' if there is nothing, 'config-invalid' for an index that is not one.
 */
export async function findWeightFiles(
  component: ComponentName,
  listing: Listing,
  variant: string | undefined,
): Promise<WeightFiles> {
  const wanted = variant === undefined ? [undefined, ...variantsOfPrecision] : [variant, undefined];
  for (const candidate of wanted) {
    const found = await filesOf(namings[component], listing, candidate);
    if (found !== undefined) return candidate === undefined ? found : { ...found, variant: candidate };
  }
  const { stem } = namings[component];
  const safe = listing.names.some((name) => name.endsWith('.safetensors'));
  if (!safe && listing.names.some((name) => pickledName.test(name))) {
    throw new LetheError('checkpoint-pickled', {
      what: 'cannot open checkpoint',
      where: listing.directory,
      why: `its weights are pickles, and reading a pickle runs what is in it; ${contents(listing)}`,
      next: 'in an environment you trust with it, load it with diffusers and save it with save_pretrained(..., safe_serialization=True)',
    });
  }
  const looked = wanted.map((candidate) => weightFileName(stem, candidate)).join(', ');
  const why = `there is no ${looked}, nor the index of its shards; ${contents(listing)}`;
  throw checkpointLayout(listing.directory, why, safe ? 'if one of these is meant, name its variant' : undefined);
}

async function filesOf(
  { stem, first }: Naming,
  listing: Listing,
  variant: string | undefined,
): Promise<Omit<WeightFiles, 'variant'> | undefined> {
  const file = optionalFile(listing, weightFileName(stem, variant));
  const index = optionalFile(listing, indexFileName(stem, variant));
  if (index !== undefined && (first === 'index' || file === undefined)) return shardsOf(listing, index);
  return file === undefined ? undefined : { paths: [file] };
}

function weightFileName(stem: string, variant: string | undefined): string {
  return variant === undefined ? `${stem}.safetensors` : `${stem}.${variant}.safetensors`;
}

/** Where the variant goes: `_add_variant` puts it before the last dot of the index's name. */
function indexFileName(stem: string, variant: string | undefined): string {
  return variant === undefined ? `${stem}.safetensors.index.json` : `${stem}.safetensors.index.${variant}.json`;
}

/** The shards are named by the index alone, so any naming of theirs will do, as long as they are in the folder. */
async function shardsOf(listing: Listing, indexPath: string): Promise<Omit<WeightFiles, 'variant'>> {
  const map = (await readJsonFile(indexPath))['weight_map'];
  if (!isObject(map)) throw configInvalid(`${indexPath}, key weight_map`, 'it is missing or not an object');
  const shardOf = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(map)) {
    const where = `${indexPath}, key weight_map.${tensor}`;
    if (typeof shard !== 'string' || !isPlainFileName(shard)) {
      throw configInvalid(where, `${JSON.stringify(shard)} is not the name of a file in the same folder`);
    }
    if (!shard.endsWith('.safetensors')) throw configInvalid(where, `${shard} is not a .safetensors file`);
    shardOf.set(tensor, requiredFile(listing, shard));
  }
  if (shardOf.size === 0) throw configInvalid(`${indexPath}, key weight_map`, 'it names no tensor');
  return { paths: [...new Set(shardOf.values())].sort(), shardOf };
}

/** Whether `name` stays in its folder on every system. */
export function isPlainFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\:\0]/.test(name);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
