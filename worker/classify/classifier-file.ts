import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../shared/checkpoint/json-file.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';

/** Every channel's mean and deviation, of pixels in 0 to 1. */
const perChannel = z.array(z.number()).length(3);
const side = z.int().min(1).max(4096);

/** docs/guide/classifier.md explains it. Strict: a key that is not known is a slip, and changes what is measured. */
const schema = z.strictObject({
  /** The ONNX file, in the folder of this one. */
  model: z
    .string()
    .regex(/^[^/\\\0]+$/, 'it is a plain file name: the file lies beside this one')
    .refine((name) => name !== '.' && name !== '..', 'it is a plain file name: the file lies beside this one')
    .default('model.onnx'),
  input: z.strictObject({
    name: z.string().min(1),
    layout: z.enum(['NCHW', 'NHWC']),
    /** Height, then width. */
    size: z.tuple([side, side]),
    /** What 0 and 255 become; or mean and std. */
    range: z.tuple([z.number(), z.number()]).optional(),
    mean: perChannel.optional(),
    std: z.array(z.number().gt(0)).length(3).optional(),
  }),
  /** By the output's name: the labels of its numbers, in order. */
  heads: z
    .record(z.string().min(1), z.array(z.string().min(1)).min(2).max(100_000))
    .refine((heads) => Object.keys(heads).length > 0, 'there is none'),
});

/** What a classifier takes and gives. */
export interface ClassifierFile {
  readonly path: string;
  /** Path of its ONNX file. */
  readonly model: string;
  readonly input: {
    readonly name: string;
    readonly layout: 'NCHW' | 'NHWC';
    readonly height: number;
    readonly width: number;
    /** A byte v of channel c becomes scale[c] · v + offset[c]. */
    readonly scale: readonly number[];
    readonly offset: readonly number[];
  };
  /** Labels by head, in the order of the file. */
  readonly heads: Readonly<Record<string, readonly string[]>>;
}

/** Reads what describes an ONNX image classifier. @throws LetheError `config-invalid` naming file and key. */
export async function readClassifierFile(path: string): Promise<ClassifierFile> {
  const object = await readJsonFile(path).catch((error: unknown) => {
    throw error instanceof LetheError && error.code === 'config-invalid'
      ? invalid(error.where ?? path, [error.why])
      : error;
  });
  const parsed = schema.safeParse(object);
  if (!parsed.success)
    throw invalid(
      path,
      parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`),
    );
  const { model, input, heads } = parsed.data;
  const { name, layout, size, range, mean, std } = input;
  const problems = [
    ...((range === undefined) === (mean === undefined) ? ['input: it has either range, or mean and std'] : []),
    ...((mean === undefined) === (std === undefined) ? [] : ['input: mean and std come together']),
    ...Object.entries(heads).flatMap(([head, labels]) => {
      const twice = labels.find((label, i) => labels.indexOf(label) !== i);
      return twice === undefined ? [] : [`heads.${head}: ${JSON.stringify(twice)} is there twice`];
    }),
  ];
  if (problems.length > 0) throw invalid(path, problems);
  const [low, high] = range ?? [0, 1];
  const [means, deviations] = [mean ?? [0, 0, 0], std ?? [1, 1, 1]];
  const scale = deviations.map((deviation) => (high - low) / 255 / deviation);
  const offset = deviations.map((deviation, i) => (low - (means[i] ?? 0)) / deviation);
  const [height, width] = size;
  return {
    path,
    model: resolve(dirname(path), model),
    input: { name, layout, height, width, scale, offset },
    heads,
  };
}

/** LetheError `config-invalid` for a classifier's file. */
export function invalid(where: string, problems: readonly string[]): LetheError {
  return new LetheError('config-invalid', {
    what: 'cannot use the classifier',
    where,
    why: problems.join('\n'),
    next: 'correct the file; docs/guide/classifier.md has an annotated example',
  });
}
