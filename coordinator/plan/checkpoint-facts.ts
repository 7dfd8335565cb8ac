import type { Checkpoint, Component } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { clipText } from '../../shared/model/family/clip/clip-text.ts';
import { parseClipTextConfig } from '../../shared/model/family/clip/config.ts';
import { parseUNetConfig } from '../../shared/model/family/unet/config.ts';
import { pipelineSampleSize } from '../../shared/model/family/unet/sample-size.ts';
import { unet } from '../../shared/model/family/unet/unet.ts';
import { imageScale, parseVaeConfig } from '../../shared/model/family/vae/config.ts';
import { graphCost, type GraphCost } from '../../shared/model/graph/cost.ts';
import { graphOf } from '../../shared/model/graph/graph.ts';
import { splitDim } from '../../shared/model/graph/tensor-type.ts';
import type { Value } from '../../shared/model/graph/value.ts';
import { Module, ParameterSource } from '../../shared/model/module.ts';
import { layersOf, type Site, type SiteLayer, type SiteName, sites } from '../../shared/model/site.ts';
import { linearInputs } from '../../shared/model/tap.ts';
import { loadClipTokenizer } from '../../shared/model/tokenizer/clip-tokenizer.ts';
import { guidanceRows, type SamplingSpec } from '../../shared/unit/unit.ts';
import type { CampaignSampling } from './campaign.ts';
import { schedulerOf, trajectoryCalls } from './trajectory-calls.ts';

/** A layer of a site and how much one trajectory adds to its statistics. */
export interface PlannedLayer extends SiteLayer {
  /**
   * Rows of its input per trajectory and step, all guidance rows counted: tokens × guidance rows. A cohort of n
   * trajectories has R = n · rows, which its grid comes from.
   */
  readonly rows: number;
}

/** A site of a checkpoint, as it is tapped under some sampling settings. */
export interface SiteFacts {
  readonly site: SiteName;
  /** What its units run: UNet calls, or the text encoder alone. */
  readonly runs: 'denoise' | 'encode';
  /** Ordered by name (code points). */
  readonly layers: readonly PlannedLayer[];
}

/** All that the plan needs to know of a checkpoint, under a campaign's sampling settings. */
export interface CheckpointFacts {
  /** `sha256:` and 64 hex digits. */
  readonly checkpoint: string;
  readonly sampling: SamplingSpec;
  /** UNet calls of a whole trajectory: 51 for 50 PNDM steps. */
  readonly calls: number;
  /** In the order of shared/model/site.ts; a site without layers is left out. */
  readonly sites: readonly SiteFacts[];
  /** Of one trajectory's call, with all guidance rows. */
  readonly unet: GraphCost;
  /** Of one prompt's pass. */
  readonly textEncoder: GraphCost;
}

/** Sites scored by what the text encoder gives or holds: no UNet call is made for them. */
const encodeSites: readonly SiteName[] = ['attn-key', 'attn-value', 'text'];

/**
 * Reads what the plan needs from configs and headers; no weight is read and no model runs.
 *
 * @param id what `checkpointId` gives.
 * @throws LetheError `config-invalid`, `config-unsupported`, `tensor-mismatch` or `tokenizer-invalid` for the checkpoint,
 *   `campaign-invalid` for a size that it cannot have.
 */
export async function checkpointFacts(
  checkpoint: Checkpoint,
  id: string,
  asked: CampaignSampling,
): Promise<CheckpointFacts> {
  const text = parseClipTextConfig(checkpoint.textEncoder);
  const unetConfig = parseUNetConfig(checkpoint.unet);
  const tokens = (await loadClipTokenizer(checkpoint.tokenizer, text.positions)).maxLength;
  const scheduler = schedulerOf(checkpoint, asked.scheduler);
  const { steps, guidance } = asked;
  const [height, width] =
    asked.size === undefined
      ? pipelineSampleSize(unetConfig, checkpoint.unet)
      : latentSize(asked.size, imageScale(parseVaeConfig(checkpoint.vae)));
  const sampling: SamplingSpec = { scheduler: scheduler.name, steps, guidance, height, width };
  const rows = guidanceRows(sampling);

  const unetOutput = unet(rootOf(checkpoint.unet), unetConfig, { height, width, tokens, rows });
  const textOutput = clipText(rootOf(checkpoint.textEncoder), text, tokens);
  const inputs = { unet: linearInputs([unetOutput]), text_encoder: linearInputs([textOutput]) };
  const factsOf = (site: Site): SiteFacts => {
    const fromText = site.component === 'text_encoder';
    const component = fromText ? checkpoint.textEncoder : checkpoint.unet;
    const known = fromText ? inputs.text_encoder : inputs.unet;
    const layers = layersOf(site, component.weights).flatMap((layer): readonly PlannedLayer[] => {
      const x = known.get(layer.name);
      // In the text encoder's graph a row is a prompt: there are as many as a UNet call has guidance rows.
      return x === undefined ? [] : [{ ...layer, rows: leadingRows(x) * (fromText ? rows : 1) }];
    });
    return { site: site.name, runs: encodeSites.includes(site.name) ? 'encode' : 'denoise', layers };
  };
  return {
    checkpoint: id,
    sampling,
    calls: trajectoryCalls(scheduler, steps),
    sites: sites.map(factsOf).filter(({ layers }) => layers.length > 0),
    unet: graphCost(graphOf('unet', [unetOutput])),
    textEncoder: graphCost(graphOf('text_encoder', [textOutput])),
  };
}

function rootOf(component: Component): Module {
  return new Module(new ParameterSource(component.weights));
}

function leadingRows(x: Value): number {
  return splitDim(x.type.shape[0] ?? 0).factor;
}

function latentSize(
  { width, height }: NonNullable<CampaignSampling['size']>,
  scale: number,
): readonly [height: number, width: number] {
  if (width % scale === 0 && height % scale === 0) return [height / scale, width / scale];
  throw new LetheError('campaign-invalid', {
    what: 'the checkpoint cannot draw the size that the campaign asks for',
    where: 'sampling.size',
    why: `it is ${width}x${height}, and sides have to be multiples of ${scale}`,
    next: `change sampling.size, or leave it out for the checkpoint's own`,
  });
}
