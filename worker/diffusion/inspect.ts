import type { Checkpoint, Component } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { clipText } from '../../shared/model/family/clip/clip-text.ts';
import { unet } from '../../shared/model/family/unet/unet.ts';
import { imageScale } from '../../shared/model/family/vae/config.ts';
import { vaeDecoder } from '../../shared/model/family/vae/decoder.ts';
import { Module, ParameterSource } from '../../shared/model/module.ts';
import { layersOf, type SiteLayer, type SiteName, sites } from '../../shared/model/site.ts';
import { linearInputs } from '../../shared/model/tap.ts';
import { loadClipTokenizer } from '../../shared/model/tokenizer/clip-tokenizer.ts';
import { elementCount } from '../../shared/tensor/float-tensor.ts';
import { pipelineParts, requireFit, requireStableDiffusion } from '../../shared/diffusion/pipeline-config.ts';
import { createScheduler } from '../../shared/diffusion/scheduler/scheduler.ts';
import { schedulerNameOf } from '../../shared/diffusion/scheduler/scheduler-config.ts';

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
  /** That its weights are read from: real paths. */
  readonly files: readonly string[];
}

/** Steps that every scheduler can take. */
const fewSteps = 10;

/** Reads every config and builds every graph; all that is refused is listed, not only the first. */
export async function inspectCheckpoint(checkpoint: Checkpoint): Promise<Inspection> {
  const refusals: LetheError[] = [];
  const attempt = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LetheError)) throw error;
      refusals.push(error);
      return undefined;
    }
  };
  await attempt(() => {
    requireStableDiffusion(checkpoint);
  });
  const scheduler = await attempt(() => {
    const config = pipelineParts.scheduler(checkpoint);
    return createScheduler(schedulerNameOf(config), config, fewSteps);
  });
  const text = await attempt(() => pipelineParts.text(checkpoint));
  const hidden = text && (await attempt(() => clipText(rootOf(checkpoint.textEncoder), text, text.positions)));
  const unetConfig = await attempt(() => pipelineParts.unet(checkpoint));
  const [height, width] = unetConfig?.sampleSize ?? [8, 8];
  const call = { height, width, tokens: text?.positions ?? 1, rows: 2 } as const;
  const prediction = unetConfig && (await attempt(() => unet(rootOf(checkpoint.unet), unetConfig, call)));
  const built = {
    unet: prediction && linearInputs([prediction]),
    text_encoder: hidden && linearInputs([hidden]),
    vae: undefined,
  };
  const vaeConfig = await attempt(() => pipelineParts.vae(checkpoint));
  if (vaeConfig !== undefined) await attempt(() => vaeDecoder(rootOf(checkpoint.vae), vaeConfig, height, width));
  const tokenizer = await attempt(() => loadClipTokenizer(checkpoint.tokenizer, text?.positions));
  if (text !== undefined && unetConfig !== undefined && vaeConfig !== undefined && tokenizer !== undefined)
    await attempt(() => {
      requireFit(checkpoint, { text, unet: unetConfig, vae: vaeConfig }, tokenizer);
    });

  const family = checkpoint.modelIndex['_class_name'];
  const scale = vaeConfig === undefined ? undefined : imageScale(vaeConfig);
  return {
    family: typeof family === 'string' ? family : 'unknown',
    scheduler: scheduler?.name ?? 'unsupported',
    imageSize:
      scale === undefined || unetConfig === undefined ? undefined : { width: width * scale, height: height * scale },
    components: [checkpoint.textEncoder, checkpoint.unet, checkpoint.vae].map(summarize),
    sites: sites.map((site) => {
      const { weights } = site.component === 'text_encoder' ? checkpoint.textEncoder : checkpoint.unet;
      return { name: site.name, description: site.description, layers: layersOf(site, weights, built[site.component]) };
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
    files: weights.files.map(({ path }) => path),
  };
}
