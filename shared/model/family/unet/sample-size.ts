import type { ConfigFile } from '../../config.ts';
import type { UNetConfig } from './config.ts';

/**
 * Latents' size that StableDiffusionPipeline samples when none is asked for: checkpoints saved before diffusers 0.9 with a
 * sample_size below 64 mean 64 (pipeline_stable_diffusion.py, __init__).
 */
export function pipelineSampleSize(unet: UNetConfig, { config }: ConfigFile): readonly [height: number, width: number] {
  const version = config['_diffusers_version'];
  const old = typeof version === 'string' && /^0\.[0-8](\.|$)/.test(version);
  return old && unet.sampleSize.every((side) => side < 64) ? [64, 64] : unet.sampleSize;
}
