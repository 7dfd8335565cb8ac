import type { SiteName } from '../model/site.ts';
import { contentHash } from './content-hash.ts';

/** How trajectories are sampled, with nothing left to a default. */
export interface SamplingSpec {
  /** Name of the diffusion scheduler, such as `pndm`. */
  readonly scheduler: string;
  /** Inference steps, as diffusers counts them. */
  readonly steps: number;
  /** Classifier-free guidance scale. */
  readonly guidance: number;
  /** Of the latents. */
  readonly height: number;
  readonly width: number;
}

/** One prompt from one seed. */
export interface TrajectoryKey {
  readonly prompt: string;
  /** Decimal, 0 to 2^64 - 1, as `String(BigInt(seed))` writes it; torch counts negative seeds from 2^64. */
  readonly seed: string;
}

/** Steps `from` to `to`, not included. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** What a worker is leased. Its hash names its result. */
export type Unit = ObservedUnit | ImageUnit;

/** A unit that gives statistics. */
export type ObservedUnit = DenoiseUnit | EncodeUnit;

/** What is wanted of a unit, each a result of its own: the statistics of a site, or the images. */
export type Output = SiteName | 'image';

/** A batch of trajectories over one window of UNet calls. */
export interface DenoiseUnit {
  readonly kind: 'denoise';
  readonly checkpoint: string;
  readonly numerics: string;
  readonly graph: string;
  readonly sampling: SamplingSpec;
  readonly trajectories: readonly TrajectoryKey[];
  readonly window: Window;
}

/**
 * A batch of prompts through the text encoder alone: for sites whose input depends on neither step nor image. Its hash
 * names no seed, sampling or window.
 */
export interface EncodeUnit {
  readonly kind: 'encode';
  readonly checkpoint: string;
  readonly numerics: string;
  readonly graph: string;
  readonly prompts: readonly string[];
}

/** A batch of trajectories to their end, decoded: one image each. */
export interface ImageUnit {
  readonly kind: 'image';
  readonly checkpoint: string;
  readonly numerics: string;
  readonly graph: string;
  readonly sampling: SamplingSpec;
  readonly trajectories: readonly TrajectoryKey[];
  /** Hash of the one mask that prunes the checkpoint; absent where nothing is pruned. */
  readonly mask?: string;
}

/** Changes whenever the graphs would give other bits: it is part of every unit's hash. */
export const graphVersion = '1';

/** SHA-256 of everything the unit's result depends on and of nothing else, 64 hex digits. */
export function unitHash(unit: Unit): string {
  return contentHash('unit 1', unit);
}

/** Names one image by all that it depends on, whatever shares its batch; 64 hex digits. */
export function imageKey(
  { checkpoint, numerics, graph, sampling, mask }: Omit<ImageUnit, 'kind' | 'trajectories'>,
  { prompt, seed }: TrajectoryKey,
): string {
  return contentHash('image 1', { checkpoint, numerics, graph, sampling, mask, prompt, seed });
}

/** Statistics a unit gives per layer: one a trajectory and step, or one a prompt; images are none. */
export function unitSize(unit: Unit): { readonly items: number; readonly steps: number } {
  switch (unit.kind) {
    case 'denoise':
      return { items: unit.trajectories.length, steps: unit.window.to - unit.window.from };
    case 'encode':
      return { items: unit.prompts.length, steps: 1 };
    case 'image':
      return { items: unit.trajectories.length, steps: 0 };
  }
}

/** Rows a trajectory in a UNet call: empty prompt and prompt; without guidance (at 1 and below) the prompt alone. */
export function guidanceRows(sampling: SamplingSpec): 1 | 2 {
  return sampling.guidance > 1 ? 2 : 1;
}
