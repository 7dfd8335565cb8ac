import { createHash } from 'node:crypto';
import { z } from 'zod';
import { parseSafetensorsHeader, type TensorEntry } from '../checkpoint/safetensors-header.ts';
import { encodeSafetensors, type NamedTensor } from '../checkpoint/write-safetensors.ts';
import { LetheError } from '../error/lethe-error.ts';
import { sites, type SiteName } from '../model/site.ts';
import { type BitMatrix, rowBytes } from '../tensor/bit-matrix.ts';
import { canonicalJson } from '../unit/canonical-json.ts';
import { isMalformed } from './bit-set.ts';
import { type Mask, maskOf } from './mask.ts';

const format = 'lethe-mask-1';

/** Steps of a mask: more than any scheduler makes. */
export const stepLimit = 2000;

const siteNames = sites.map(({ name }) => name) as [SiteName, ...SiteName[]];
const text = z.string().min(1).max(1000);
const dimension = z.int().min(1);
const headerSchema = z.object({
  checkpoint: text,
  parts: z.array(z.object({ concept: text, method: text, settings: z.json() })),
  timesteps: z.array(z.number()).max(stepLimit),
  layers: z.array(
    z.object({
      site: z.enum(siteNames),
      name: z.string().min(1).max(900),
      out: dimension,
      in: dimension,
      steps: z.int().min(0).max(stepLimit),
    }),
  ),
});

/**
 * The canonical bytes of a mask: a safetensors file with `union.<layer>` and, where the layer depends on the step,
 * `step.<i>.<layer>`, all U8 [out, ⌈in/8⌉], column j in bit j mod 8 from the least significant (numpy:
 * unpackbits(x, axis=1, count=in, bitorder='little')). Metadata: `format`, and `mask` with the rest as canonical JSON.
 * Equal masks have equal bytes.
 */
export function encodeMask(given: Mask): Uint8Array<ArrayBuffer> {
  const { checkpoint, parts, timesteps, layers } = maskOf(given);
  const tensors = layers.flatMap(({ name, union, steps }): NamedTensor[] => [
    tensorOf(`union.${name}`, union),
    ...steps.map((set, step) => tensorOf(`step.${step}.${name}`, set)),
  ]);
  const described = layers.map(({ site, name, union, steps }) => {
    return { site, name, out: union.rows, in: union.columns, steps: steps.length };
  });
  return encodeSafetensors(tensors, {
    format,
    mask: canonicalJson({ checkpoint, parts, timesteps, layers: described }),
  });
}

/** The name of a mask: SHA-256 of its canonical bytes, 64 hex digits. */
export function maskName(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * The mask in `bytes`, which may come from anywhere: what is read re-encodes to the same bytes.
 *
 * @throws LetheError `safetensors-invalid` or `mask-invalid` with what is at fault.
 */
export function decodeMask(bytes: Uint8Array): Mask {
  const file = parseSafetensorsHeader(bytes, bytes.length, 'mask');
  const found = file.metadata.get('format');
  if (found !== format) throw maskInvalid('format', `it is ${JSON.stringify(found)}, and ${format} is read`);
  const { checkpoint, parts, timesteps, layers: described } = parseHeader(file.metadata.get('mask') ?? '');
  const layers = described.map(({ site, name, out, in: columns, steps }) => {
    const read = (tensor: string) => readBits(bytes, tensor, file.tensors.get(tensor), out, columns);
    const sets = Array.from({ length: steps }, (_, step) => read(`step.${step}.${name}`));
    return { site, name, union: read(`union.${name}`), steps: sets };
  });
  const mask = checked({ checkpoint, parts: parts, timesteps, layers });
  if (!Buffer.from(encodeMask(mask)).equals(bytes))
    throw maskInvalid('bytes', 'they are not the canonical form of what they hold');
  return mask;
}

function tensorOf(name: string, { rows, columns, bytes }: BitMatrix): NamedTensor {
  return { name, shape: [rows, rowBytes(columns)], data: bytes };
}

function readBits(
  bytes: Uint8Array,
  name: string,
  entry: TensorEntry | undefined,
  rows: number,
  columns: number,
): BitMatrix {
  const [height, width, ...rest] = entry?.shape ?? [];
  if (entry?.dtype !== 'U8' || height !== rows || width !== rowBytes(columns) || rest.length > 0)
    throw maskInvalid(name, `there is no tensor U8 [${rows}, ${rowBytes(columns)}] of this name`);
  // A copy: slice() of a Buffer would share the file's memory.
  const set = { rows, columns, bytes: new Uint8Array(bytes.subarray(entry.begin, entry.end)) };
  if (isMalformed(set)) throw maskInvalid(name, `bits past column ${columns} are set`);
  return set;
}

function parseHeader(json: string): z.infer<typeof headerSchema> {
  let parsed: z.ZodSafeParseResult<z.infer<typeof headerSchema>>;
  try {
    parsed = headerSchema.safeParse(JSON.parse(json));
  } catch (cause) {
    // Not JSON, or nested deeper than the stack.
    throw maskInvalid('header', cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (parsed.success) return parsed.data;
  throw maskInvalid(
    'header',
    parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
  );
}

/** What is no mask at all is at fault as a file. */
function checked(mask: Mask): Mask {
  try {
    return maskOf(mask);
  } catch (error) {
    if (error instanceof LetheError) throw maskInvalid(error.where ?? 'mask', error.why, error);
    throw error;
  }
}

/** LetheError `mask-invalid`. */
export function maskInvalid(where: string, why: string, cause?: unknown): LetheError {
  return new LetheError('mask-invalid', {
    what: 'cannot read the mask',
    where,
    why,
    next: 'fetch it again; if it stays so, do not use it and look at who can write where it came from',
    cause,
  });
}
