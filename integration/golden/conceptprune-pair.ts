import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../shared/checkpoint/json-file.ts';
import { parseConfig } from '../../shared/model/config.ts';
import type { LayerNorms } from '../../shared/method/conceptprune/norms.ts';
import type { LayerSettings } from '../../shared/method/conceptprune/settings.ts';
import type { SiteName } from '../../shared/model/site.ts';
import { GoldenFile, goldenInvalid } from './golden-file.ts';

/** conceptprune-*.json, as far as it is read: what the reference was asked for. */
const pairSettings = z.object({
  site: z.enum(['ffn2', 'ffn1', 'attn-key', 'attn-value', 'text']),
  base: z.array(z.string()),
  target: z.array(z.string()),
  seeds: z.array(z.int()),
  skill_ratio: z.number(),
  select_ratio: z.number(),
  tau: z.int().positive(),
  num_inference_steps: z.int().positive(),
  guidance_scale: z.number(),
  scheduler: z.string(),
  density: z.record(z.string(), z.number()),
});

/** What the reference computed for one layer. */
export interface GoldenLayer {
  readonly name: string;
  /** By step; one where they hold at every step. */
  readonly norms: LayerNorms;
  /** 1 where pruned, [out, in]. */
  readonly mask: ArrayLike<number>;
  readonly out: number;
  readonly in: number;
}

/** A pair conceptprune-NAME.json and .safetensors. */
export interface GoldenPair {
  readonly name: string;
  readonly site: SiteName;
  readonly base: readonly string[];
  readonly target: readonly string[];
  /** Decimal, one a pair of prompts. */
  readonly seeds: readonly string[];
  readonly tau: number;
  readonly steps: number;
  readonly guidance: number;
  /** diffusers' class name. */
  readonly scheduler: string;
  readonly settings: LayerSettings;
  readonly layers: readonly GoldenLayer[];
}

/** Reads `<name>.json` and `<name>.safetensors`. @throws LetheError `golden-invalid` for vectors that are missing. */
export async function readGoldenPair(directory: string, name: string): Promise<GoldenPair> {
  const configPath = join(directory, `${name}.json`);
  const given = parseConfig(pairSettings, { config: await readJsonFile(configPath), configPath });
  const file = await GoldenFile.open(directory, `${name}.safetensors`);
  const layers: GoldenLayer[] = [];
  for (const layer of Object.keys(given.density)) {
    const { shape, data } = await file.read(`mask.${layer}`);
    const [out = 0, columns = 0] = shape;
    const norms = { base: await stepsOf(file, 'base', layer), target: await stepsOf(file, 'target', layer) };
    layers.push({ name: layer, norms, mask: data, out, in: columns });
  }
  file.requireAllRead();
  return {
    name,
    site: given.site,
    base: given.base,
    target: given.target,
    seeds: given.seeds.map(String),
    tau: given.tau,
    steps: given.num_inference_steps,
    guidance: given.guidance_scale,
    scheduler: given.scheduler,
    settings: { skillRatio: given.skill_ratio, selection: 'reference', margin: 1, selectRatio: given.select_ratio },
    layers,
  };
}

async function stepsOf(file: GoldenFile, role: string, layer: string): Promise<readonly Float32Array[]> {
  const known = new Set(file.names(/^norm\..*$/).map(([name]) => name));
  const norms: Float32Array[] = [];
  for (let step = 0; known.has(`norm.${role}.${step}.${layer}`); step++)
    norms.push(Float32Array.from((await file.read(`norm.${role}.${step}.${layer}`)).data));
  if (norms.length === 0) throw goldenInvalid(layer, `there is no norm.${role}.0.${layer}`);
  return norms;
}
