import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { GraphCost } from '../../shared/model/graph/cost.ts';
import type { SamplingSpec } from '../../shared/unit/unit.ts';
import type { CampaignSampling } from './campaign.ts';
import { checkpointFacts } from './checkpoint-facts.ts';
import { memoryNeed } from './memory-need.ts';
import type { MemoryNeed } from './plan.ts';

/** What images of a checkpoint take, under some sampling settings. */
export interface ImageFacts {
  readonly sampling: SamplingSpec;
  /** UNet calls of a whole trajectory. */
  readonly calls: number;
  /** Of one trajectory's call, of one prompt's pass, and of one image. */
  readonly unet: GraphCost;
  readonly textEncoder: GraphCost;
  readonly decoder: GraphCost;
}

/** Reads configs and headers; no weight is read. @param id of the checkpoint. @throws as `checkpointFacts` */
export async function imageFacts(checkpoint: Checkpoint, id: string, asked: CampaignSampling): Promise<ImageFacts> {
  const { sampling, calls, unet, textEncoder, decoder } = await checkpointFacts(checkpoint, id, asked);
  return { sampling, calls, unet, textEncoder, decoder };
}

/** What a batch of images needs: all three models, and the larger of a UNet call on it and of one image's decoding. */
export function imageMemory({ unet, textEncoder, decoder }: ImageFacts, items: number): MemoryNeed {
  const weightBytes = unet.weightBytes + textEncoder.weightBytes + decoder.weightBytes;
  const peakBytes = Math.max(unet.peakBytes, textEncoder.peakBytes, decoder.peakBytes / items);
  return memoryNeed({ flops: 0, weightBytes, peakBytes }, items);
}
