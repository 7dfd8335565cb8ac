import { z } from 'zod';
import { parseSafetensorsHeader } from '../checkpoint/safetensors-header.ts';
import { encodeSafetensors } from '../checkpoint/write-safetensors.ts';
import { LetheError } from '../error/lethe-error.ts';
import { sites, type SiteName } from '../model/site.ts';
import { canonicalJson } from '../unit/canonical-json.ts';
import { type CohortSum, emptyCohortSum, layerKey, type SummedLayer } from './cohort-sum.ts';
import { gridExponent, largestTotal } from './exact-sum.ts';

const format = 'lethe-cohort-sum-1';

const siteNames = sites.map(({ name }) => name) as [SiteName, ...SiteName[]];
const positive = z.int().min(1);
const headerSchema = z.object({
  cohort: z.string().min(1).max(1000),
  layers: z.array(
    z.object({
      site: z.enum(siteNames),
      name: z.string().min(1).max(900),
      neurons: positive,
      rows: positive,
      steps: positive,
      counts: z.array(z.int().min(0)),
    }),
  ),
});

/**
 * A cohort's sum as bytes: a safetensors file of one F64 tensor [steps, neurons] a layer, named `<site> <layer>`, with
 * cohort, shapes, rows and counts as canonical JSON in its metadata. Equal sums have equal bytes, whoever made them.
 */
export function encodeCohortSum({ cohort, layers }: CohortSum): Uint8Array<ArrayBuffer> {
  const tensors = layers.map(({ layer, steps }) => {
    const data = new Float64Array(layer.steps * layer.neurons);
    for (const [step, { values }] of steps.entries()) data.set(values, step * layer.neurons);
    return { name: layerKey(layer), shape: [layer.steps, layer.neurons], data };
  });
  const described = layers.map(({ layer: { site, name, neurons, rows, steps }, steps: sums }) => {
    return { site, name, neurons, rows, steps, counts: sums.map(({ count }) => count) };
  });
  return encodeSafetensors(tensors, { format, sum: canonicalJson({ cohort, layers: described }) });
}

/**
 * The sum in `bytes`, which may come from anywhere: whatever is read re-encodes to the same bytes, and is a sum that
 * statistics can have.
 *
 * @throws LetheError `safetensors-invalid`, or `sum-invalid` with the layer, step and neuron at fault.
 */
export function decodeCohortSum(bytes: Uint8Array): CohortSum {
  const file = parseSafetensorsHeader(bytes, bytes.length, 'cohort sum');
  if (file.metadata.get('format') !== format)
    throw sumInvalid('format', `it is ${JSON.stringify(file.metadata.get('format'))}, and ${format} is read`);
  const header = parseHeader(file.metadata.get('sum') ?? '');
  const declared = header.layers.map(({ site, name, neurons, rows, steps }): SummedLayer => {
    return { site, name, neurons, rows, steps };
  });
  for (const layer of declared) {
    // Before anything of that size is made: the tensor that must hold it is in the file.
    const entry = file.tensors.get(layerKey(layer));
    if (
      entry?.dtype !== 'F64' ||
      entry.shape.length !== 2 ||
      entry.shape[0] !== layer.steps ||
      entry.shape[1] !== layer.neurons
    )
      throw sumInvalid(layerKey(layer), `there is no tensor F64 [${layer.steps}, ${layer.neurons}] of this name`);
  }
  const empty = emptyCohortSum(header.cohort, declared);
  const countsOf = new Map(header.layers.map((layer) => [layerKey(layer), layer.counts]));
  const layers = empty.layers.map(({ layer, steps }) => {
    const counts = countsOf.get(layerKey(layer)) ?? [];
    if (counts.length !== steps.length)
      throw sumInvalid(layerKey(layer), `${counts.length} counts for ${steps.length} steps`);
    const { begin = 0, end = 0 } = file.tensors.get(layerKey(layer)) ?? {};
    const all = new Float64Array(bytes.slice(begin, end).buffer);
    const sums = steps.map(({ rows }, step) => {
      const values = all.slice(step * layer.neurons, (step + 1) * layer.neurons);
      checkValues(values, layer, step);
      return { rows, count: counts[step] ?? 0, values };
    });
    return { layer, steps: sums };
  });
  const sum = { cohort: header.cohort, layers };
  if (!Buffer.from(encodeCohortSum(sum)).equals(bytes))
    throw sumInvalid('bytes', 'they are not the canonical form of what they hold');
  return sum;
}

function parseHeader(text: string): z.infer<typeof headerSchema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw sumInvalid('header', cause instanceof Error ? cause.message : String(cause), cause);
  }
  const parsed = headerSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw sumInvalid(
    'header',
    parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
  );
}

/** What no addition of statistics gives: negative (zero too) or not finite, beyond the rows, finer than the grid. */
function checkValues(values: Float64Array, layer: SummedLayer, step: number): void {
  const scale = 2 ** gridExponent(layer.rows);
  const limit = largestTotal(layer.rows);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    if (value >= 0 && value <= limit && Number.isInteger(value * scale) && !Object.is(value, -0)) continue;
    throw sumInvalid(`${layerKey(layer)}, step ${step}, neuron ${i}`, `${layer.rows} rows cannot give ${value}`);
  }
}

function sumInvalid(where: string, why: string, cause?: unknown): LetheError {
  return new LetheError('sum-invalid', {
    what: "cannot read a cohort's sum",
    where,
    why,
    next: 'remove the stored sum: it is made again from the partials; if that repeats, look at who can write to the store',
    cause,
  });
}
