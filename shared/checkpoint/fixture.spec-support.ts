import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LetheError } from '../error/lethe-error.ts';
import { bitsOf, type TensorDtype } from './tensor-dtype.ts';

/** A tensor to be written. Without data it holds zeros. */
export interface FixtureTensor {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  readonly data?: Uint8Array;
}

/** A valid .safetensors file, the tensors one after the other without padding. */
export function safetensorsFile(
  tensors: readonly FixtureTensor[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata };
  const data: Uint8Array[] = [];
  let begin = 0;
  for (const { name, dtype, shape, data: given } of tensors) {
    const bytes = given ?? new Uint8Array((shape.reduce((a, b) => a * b, 1) * bitsOf[dtype]) / 8);
    header[name] = { dtype, shape, data_offsets: [begin, begin + bytes.length] };
    data.push(bytes);
    begin += bytes.length;
  }
  return rawSafetensors(JSON.stringify(header), Buffer.concat(data));
}

/** A file with this header, right or wrong, its true length before it. */
export function rawSafetensors(header: string | Uint8Array, data: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = Buffer.from(header);
  return Buffer.concat([lengthField(BigInt(bytes.length)), bytes, data]);
}

/** A header's length as the file's first eight bytes. */
export function lengthField(length: bigint): Uint8Array {
  const field = Buffer.alloc(8);
  field.writeBigUInt64LE(length);
  return field;
}

/** Files by their path below a directory. */
export type Tree = Readonly<Record<string, string | Uint8Array>>;

/** Writes a tree. */
export async function writeTree(directory: string, tree: Tree): Promise<void> {
  for (const [path, content] of Object.entries(tree)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  }
}

/** A new directory, its links resolved (macOS' is behind one); the caller removes it. */
export async function newDirectory(): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), 'lethe-checkpoint-')));
}

/** The smallest checkpoint: one fp16 tensor a component. */
export function smallCheckpoint(): Record<string, string | Uint8Array> {
  const one = (name: string) => safetensorsFile([{ name, dtype: 'F16', shape: [2, 3] }]);
  return {
    'model_index.json': '{"_class_name":"StableDiffusionPipeline"}',
    'scheduler/scheduler_config.json': '{"_class_name":"PNDMScheduler"}',
    'unet/config.json': '{"_class_name":"UNet2DConditionModel"}',
    'unet/diffusion_pytorch_model.safetensors': one('conv_in.weight'),
    'text_encoder/config.json': '{"model_type":"clip_text_model"}',
    'text_encoder/model.safetensors': one('text_model.final_layer_norm.weight'),
    'vae/config.json': '{"_class_name":"AutoencoderKL"}',
    'vae/diffusion_pytorch_model.safetensors': one('decoder.conv_in.weight'),
    'tokenizer/vocab.json': '{}',
    'tokenizer/merges.txt': '#version: 0.2\n',
    'tokenizer/tokenizer_config.json': '{}',
    'tokenizer/special_tokens_map.json': '{}',
  };
}

/** The refusal that `action` ends with, as code and message; anything else it throws passes through. */
export async function refusal(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof LetheError) return `${error.code}: ${error.message} -> ${error.next}`;
    throw error;
  }
  return 'not refused';
}

/** Files of the small checkpoint to replace, add, or (`undefined`) leave out. */
export type CheckpointChanges = Readonly<Record<string, Tree[string] | undefined>>;

/** Makes `directory` hold nothing but the small checkpoint with these changes. */
export async function changedCheckpoint(directory: string, changes: CheckpointChanges): Promise<string> {
  await rm(directory, { recursive: true });
  const files = Object.entries({ ...smallCheckpoint(), ...changes }).filter(([, content]) => content !== undefined);
  await writeTree(directory, Object.fromEntries(files) as Tree);
  return directory;
}
