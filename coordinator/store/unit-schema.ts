import { z } from 'zod';
import type { Unit } from '../../shared/unit/unit.ts';
import { count, hash, name } from './stored-json.ts';

const common = { checkpoint: name, numerics: name, graph: name };
const sampling = z.object({ scheduler: name, steps: count, guidance: z.number(), height: count, width: count });
const trajectories = z.array(z.object({ prompt: z.string(), seed: z.string() })).min(1);
const window = z.object({ from: count, to: count });

/** An image unit as it is stored. */
export const imageUnitSchema = z.object({
  kind: z.literal('image'),
  ...common,
  sampling,
  trajectories,
  mask: hash.exactOptional(),
});

/** Any unit as it is stored. */
export const unitSchema: z.ZodType<Unit> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('denoise'), ...common, sampling, trajectories, window }),
  z.object({ kind: z.literal('encode'), ...common, prompts: z.array(z.string()).min(1) }),
  imageUnitSchema,
]);
