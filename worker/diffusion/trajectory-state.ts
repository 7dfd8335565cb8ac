import { createHash } from 'node:crypto';
import { z } from 'zod';
import { parseSafetensorsHeader, type SafetensorsFile } from '../../shared/checkpoint/safetensors-header.ts';
import { encodeSafetensors } from '../../shared/checkpoint/write-safetensors.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { checkGeneratorState } from './noise/generator-state.ts';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import type { Trajectory } from './trajectory.ts';

/** What a trajectory depends on besides its state: it can be continued under the same of these only. */
export interface TrajectoryIdentity {
  /** The checkpoint's id. */
  readonly checkpoint: string;
  readonly prompt: string;
  readonly seed: string;
  readonly sampling: Sampling;
}

const format = 'lethe-trajectory-1';

/** Metadata of the stored state; numbers and texts, no prompt. */
const metadataSchema = z.object({
  format: z.literal(format),
  identity: z.string(),
  step: z.string().regex(/^\d{1,9}$/),
  noise: z.string().max(1000),
  digest: z.string(),
});

/**
 * A trajectory as bytes: a safetensors file with `latents` and `history.<i>`, and in its metadata the step, the noise
 * generator, a hash of the identity and one of all of it. It holds no prompt.
 */
export function encodeTrajectory(trajectory: Trajectory, identity: TrajectoryIdentity): Uint8Array {
  const { latents, scheduler } = trajectory;
  const tensors = [
    { name: 'latents', shape: [latents.length], data: latents },
    ...scheduler.history.map((data, i) => ({ name: `history.${i}`, shape: [data.length], data })),
  ];
  return encodeSafetensors(tensors, {
    format,
    identity: hashOf(identity),
    step: String(scheduler.step),
    noise: JSON.stringify(trajectory.noise),
    digest: digestOf(trajectory),
  });
}

/**
 * The trajectory in `bytes`, checked: it may come from another machine. Whether its step, history and size fit the
 * scheduler and the model is checked when it is continued.
 *
 * @throws LetheError `trajectory-invalid` if the bytes are damaged or belong to another checkpoint, prompt, seed or
 *   sampling.
 */
export function decodeTrajectory(bytes: Uint8Array, identity: TrajectoryIdentity): Trajectory {
  const file = headerOf(bytes);
  const metadata = metadataSchema.safeParse(Object.fromEntries(file.metadata));
  if (!metadata.success) throw invalid('metadata', metadata.error.issues.map((issue) => issue.message).join('; '));
  const { step, noise, digest } = metadata.data;
  if (metadata.data.identity !== hashOf(identity))
    throw invalid('identity', 'it was stored for another checkpoint, prompt, seed or sampling');
  const latents = floats(bytes, file, 'latents');
  const history = Array.from({ length: file.tensors.size - 1 }, (_, i) => floats(bytes, file, `history.${i}`));
  const { height, width } = identity.sampling;
  if (latents.length === 0 || latents.length % (height * width) !== 0)
    throw invalid('latents', `${latents.length} of them are no channels of ${height}×${width}`);
  if (history.some((array) => array.length !== latents.length))
    throw invalid('history', 'it has another size than the latents');
  const trajectory = {
    latents,
    scheduler: { step: Number(step), history },
    noise: checkGeneratorState(parseJson(noise)),
  };
  if (digestOf(trajectory) !== digest) throw invalid('digest', 'its contents are not those that were stored');
  return trajectory;
}

function hashOf({ checkpoint, prompt, seed, sampling }: TrajectoryIdentity): string {
  const { scheduler, steps, guidance, height, width } = sampling;
  const canonical = JSON.stringify([checkpoint, prompt, seed, scheduler, steps, guidance, height, width]);
  return createHash('sha256').update(canonical).digest('hex');
}

/** Of every number a trajectory holds: one that changed on the way would give another image and no error. */
function digestOf({ latents, scheduler, noise }: Trajectory): string {
  const { step, history } = scheduler;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([step, noise.seed, noise.words, noise.nextNormal, latents.length, history.length]));
  for (const data of [latents, ...history]) hash.update(data);
  return hash.digest('hex');
}

function headerOf(bytes: Uint8Array): SafetensorsFile {
  try {
    return parseSafetensorsHeader(bytes, bytes.length, 'trajectory state');
  } catch (cause) {
    throw invalid('header', cause instanceof Error ? cause.message : 'it cannot be read', cause);
  }
}

function floats(bytes: Uint8Array, file: SafetensorsFile, name: string): Float32Array {
  const entry = file.tensors.get(name);
  if (entry?.dtype !== 'F32') throw invalid(name, 'there is no fp32 tensor of this name');
  // A copy of its own: aligned, and of a Buffer too, whose slice() shares memory.
  const data = new Float32Array(new Uint8Array(bytes.subarray(entry.begin, entry.end)).buffer);
  if (!data.every(Number.isFinite)) throw invalid(name, 'it holds values that are not finite');
  return data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid('noise', 'it is not JSON', cause);
  }
}

function invalid(where: string, why: string, cause?: unknown): LetheError {
  return new LetheError('trajectory-invalid', {
    what: 'cannot restore the trajectory',
    where,
    why,
    next: 'run the trajectory from its start; if the state was stored, its store is damaged',
    cause,
  });
}
