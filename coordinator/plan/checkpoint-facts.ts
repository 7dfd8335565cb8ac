import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { builtLayers } from '../../shared/diffusion/built-layers.ts';
import { ofSetting } from '../../shared/config/of-setting.ts';
import { keyText, type Path } from '../../shared/config/problem.ts';
import {
  openPipeline,
  type Pipeline,
  pipelineGraphs,
  pipelineScheduler,
  samplingOf,
} from '../../shared/diffusion/pipeline.ts';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import type { Scheduler } from '../../shared/diffusion/scheduler/scheduler.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { graphCost, type GraphCost } from '../../shared/model/graph/cost.ts';
import { splitDim } from '../../shared/model/graph/tensor-type.ts';
import type { Value } from '../../shared/model/graph/value.ts';
import { layersOf, type Site, type SiteLayer, type SiteName, sites } from '../../shared/model/site.ts';
import { guidanceRows, type SamplingSpec } from '../../shared/unit/unit.ts';
import type { CampaignSampling } from './campaign.ts';

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

/** What drawing with a checkpoint takes besides. */
export interface DrawingFacts extends CheckpointFacts {
  /** Of one image. */
  readonly decoder: GraphCost;
}

/**
 * Reads what the plan needs from configs and headers, and refuses what drawing and observing would refuse; no weight is
 * read and no model runs.
 *
 * @param id what `checkpointId` gives.
 * @param section of the campaign that `asked` stands in
 * @throws LetheError `config-invalid`, `config-unsupported`, `tensor-mismatch` or `tokenizer-invalid` for the checkpoint,
 *   `sampling-invalid` for steps that its scheduler cannot take, `campaign-invalid` for a size that it cannot have; each
 *   names the setting of the campaign.
 */
export async function checkpointFacts(
  checkpoint: Checkpoint,
  id: string,
  asked: CampaignSampling,
  section: Path = ['sampling'],
): Promise<DrawingFacts> {
  const own = ['checkpoint'];
  const pipeline = await ofSetting(own, () => openPipeline(checkpoint));
  const sampling = resolved(pipeline, asked, section);
  const { timesteps } = await schedulerFor(pipeline, sampling, asked, section);
  const rows = guidanceRows(sampling);
  const graphs = await ofSetting(own, () => pipelineGraphs(pipeline, sampling));
  const built = builtLayers(graphs);
  const factsOf = (site: Site): SiteFacts => {
    const fromText = site.component === 'text_encoder';
    const component = fromText ? checkpoint.textEncoder : checkpoint.unet;
    const known = built[site.component];
    const layers = layersOf(site, component.weights, known).flatMap((layer): readonly PlannedLayer[] => {
      const x = known?.get(layer.name);
      // In the text encoder's graph a row is a prompt: there are as many as a UNet call has guidance rows.
      return x === undefined ? [] : [{ ...layer, rows: leadingRows(x) * (fromText ? rows : 1) }];
    });
    return { site: site.name, runs: encodeSites.includes(site.name) ? 'encode' : 'denoise', layers };
  };
  return {
    checkpoint: id,
    sampling,
    calls: timesteps.length,
    sites: sites.map(factsOf).filter(({ layers }) => layers.length > 0),
    unet: graphCost(graphs.unet),
    textEncoder: graphCost(graphs.textEncoder),
    decoder: graphCost(graphs.decoder),
  };
}

function leadingRows(x: Value): number {
  return splitDim(x.type.shape[0] ?? 0).factor;
}

function resolved(pipeline: Pipeline, asked: CampaignSampling, section: Path): Sampling {
  try {
    return samplingOf(pipeline, asked);
  } catch (error) {
    if (!(error instanceof LetheError)) throw error;
    if (error.code !== 'sampling-invalid') throw error.at(['checkpoint', error.where].join(': '), ['checkpoint']);
    throw new LetheError('campaign-invalid', {
      what: 'the checkpoint cannot draw the size that the campaign asks for',
      where: 'sampling.size',
      why: error.why,
      next: `change sampling.size, or leave it out for the checkpoint's own`,
      setting: [...section, 'size'],
    });
  }
}

/** What is wrong with the scheduler is said of the setting that asks for it: a scheduler by name, steps, or the checkpoint. */
function schedulerFor(
  pipeline: Pipeline,
  sampling: Sampling,
  { scheduler }: CampaignSampling,
  section: Path,
): Promise<Scheduler> {
  const named = scheduler === undefined ? ['checkpoint'] : [...section, 'scheduler'];
  return ofSetting(named, () => {
    try {
      return pipelineScheduler(pipeline, sampling);
    } catch (error) {
      if (!(error instanceof LetheError && error.code === 'sampling-invalid')) throw error;
      const setting = [...section, error.where ?? 'steps'];
      throw error.at(keyText(setting), setting);
    }
  });
}
