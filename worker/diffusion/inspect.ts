import type { Checkpoint, Component } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { clipText } from '../../shared/model/family/clip/clip-text.ts';
import { parseClipTextConfig } from '../../shared/model/family/clip/config.ts';
import { parseUNetConfig } from '../../shared/model/family/unet/config.ts';
import { unet } from '../../shared/model/family/unet/unet.ts';
import { imageScale, parseVaeConfig } from '../../shared/model/family/vae/config.ts';
import { vaeDecoder } from '../../shared/model/family/vae/decoder.ts';
import { Module, ParameterSource } from '../../shared/model/module.ts';
import { layersOf, type SiteLayer, type SiteName, sites } from '../../shared/model/site.ts';
import { elementCount } from '../../shared/tensor/float-tensor.ts';
import { createScheduler } from './scheduler/scheduler.ts';
import { applyPipelineFixups, parseSchedulerConfig, schedulerNameOf } from './scheduler/scheduler-config.ts';
import { loadClipTokenizer } from '../../shared/model/tokenizer/clip-tokenizer.ts';
import { requireStableDiffusion, schedulerClassOf } from './stable-diffusion.ts';

/** What a checkpoint is, found without running it. */
export interface Inspection {
  /** The pipeline class model_index.json names. */
  readonly family: string;
  readonly scheduler: string;
  /** In pixels; unknown if a config cannot be read. */
  readonly imageSize: { readonly width: number; readonly height: number } | undefined;
  readonly components: readonly ComponentSummary[];
  readonly sites: readonly {
    readonly name: SiteName;
    readonly description: string;
    readonly layers: readonly SiteLayer[];
  }[];
  /** Why it cannot be run; empty if it can. */
  readonly unsupported: readonly {
    readonly code: string;
    readonly what: string;
    readonly where: string | undefined;
    readonly why: string;
  }[];
}

interface ComponentSummary {
  readonly name: string;
  readonly className: string;
  readonly parameters: number;
  readonly dtypes: readonly string[];
}

/** Reads every config and builds every graph; all that is refused is listed, not only the first. */
export async function inspectCheckpoint(checkpoint: Checkpoint): Promise<Inspection> {
  const { modelIndex, modelIndexPath, schedulerConfig, schedulerConfigPath } = checkpoint;
  const refusals: LetheError[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof LetheError)) throw error;
      refusals.push(error);
      return undefined;
    }
  };
  const family = modelIndex['_class_name'];
  attempt(() => {
    requireStableDiffusion(modelIndex, modelIndexPath);
  });

  const scheduler = attempt(() => {
    const config = parseSchedulerConfig(schedulerConfig, schedulerConfigPath, schedulerClassOf(modelIndex));
    return createScheduler(schedulerNameOf(config), applyPipelineFixups(config), 2);
  });
  const text = attempt(() => parseClipTextConfig(checkpoint.textEncoder));
  if (text !== undefined) attempt(() => clipText(rootOf(checkpoint.textEncoder), text, text.positions));
  const unetConfig = attempt(() => parseUNetConfig(checkpoint.unet));
  const [height, width] = unetConfig?.sampleSize ?? [0, 0];
  if (unetConfig !== undefined) {
    const call = { height, width, tokens: text?.positions ?? 1, rows: 2 } as const;
    attempt(() => unet(rootOf(checkpoint.unet), unetConfig, call));
  }
  const vaeConfig = attempt(() => parseVaeConfig(checkpoint.vae));
  if (vaeConfig !== undefined && unetConfig !== undefined)
    attempt(() => vaeDecoder(rootOf(checkpoint.vae), vaeConfig, height, width));
  await loadClipTokenizer(checkpoint.tokenizer, text?.positions).catch((error: unknown) => {
    attempt(() => {
      throw error;
    });
  });

  const scale = vaeConfig === undefined ? undefined : imageScale(vaeConfig);
  return {
    family: typeof family === 'string' ? family : 'unknown',
    scheduler: scheduler?.name ?? 'unsupported',
    imageSize:
      scale === undefined || unetConfig === undefined ? undefined : { width: width * scale, height: height * scale },
    components: [checkpoint.textEncoder, checkpoint.unet, checkpoint.vae].map(summarize),
    sites: sites.map((site) => {
      const { weights } = site.component === 'text_encoder' ? checkpoint.textEncoder : checkpoint.unet;
      return { name: site.name, description: site.description, layers: layersOf(site, weights) };
    }),
    unsupported: refusals.map(({ code, what, where, why }) => ({ code, what, where, why })),
  };
}

function rootOf(component: Component): Module {
  return new Module(new ParameterSource(component.weights));
}

function summarize({ name, config, weights }: Component): ComponentSummary {
  const tensors = [...weights.tensors.values()];
  const { _class_name: diffusers, architectures } = config;
  const [transformers] = Array.isArray(architectures) ? (architectures as readonly unknown[]) : [];
  const className = diffusers ?? transformers;
  return {
    name,
    className: typeof className === 'string' ? className : 'unknown',
    parameters: tensors.reduce((sum, tensor) => sum + elementCount(tensor.shape), 0),
    dtypes: [...new Set(tensors.map((tensor) => tensor.dtype))].sort(),
  };
}
