import { z } from 'zod';
import type { PromptEmbedding, StableDiffusion } from '../../worker/diffusion/stable-diffusion.ts';
import type { SessionSettings } from '../../worker/session/protocol.ts';
import type { SessionThread } from '../../worker/session/session-thread.ts';
import type { GoldenFile } from './golden-file.ts';

/** goldens.json, as far as the checks read it. */
export const goldenSettings = z.object({
  prompts: z.array(z.string()).min(1),
  steps: z.int().positive(),
  guidance_scale: z.number(),
  schedulers: z.record(
    z.string(),
    z.object({ config: z.record(z.string(), z.unknown()), timesteps: z.array(z.number()) }),
  ),
});
export type GoldenSettings = z.infer<typeof goldenSettings>;

/** What checks of one checkpoint share: everything is computed from the prompts on, not from the vectors. */
export interface GoldenRun {
  readonly model: StableDiffusion;
  readonly file: GoldenFile;
  readonly settings: GoldenSettings;
  readonly texts: readonly PromptEmbedding[];
  readonly empty: PromptEmbedding;
  readonly thread: SessionThread;
  readonly session: SessionSettings;
}
