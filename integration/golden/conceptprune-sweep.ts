import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FleetClient } from '../../cli/fleet/fleet-client.ts';
import { startLocalFleet } from '../../cli/launcher/local-fleet.ts';
import { sumJobs } from '../../coordinator/collect/sum-job.ts';
import { checkpointFacts } from '../../coordinator/plan/checkpoint-facts.ts';
import { parseCampaign } from '../../coordinator/plan/parse-campaign.ts';
import { planCampaign } from '../../coordinator/plan/plan-campaign.ts';
import type { Plan } from '../../coordinator/plan/plan.ts';
import { decodeStored } from '../../coordinator/store/stored-json.ts';
import { sumRecordSchema } from '../../coordinator/store/sum-record.ts';
import { Blobs } from '../../shared/bus/blobs.ts';
import { connectBus } from '../../shared/bus/connect.ts';
import { recordFilters } from '../../shared/bus/names.ts';
import { Records } from '../../shared/bus/records.ts';
import { tokenOf, writtenPort } from '../../shared/bus/server/data-folder.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { readTensorAt } from '../../shared/checkpoint/read-tensor.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { decodeMask } from '../../shared/mask/mask-file.ts';
import { decompressMask } from '../../shared/mask/mask-storage.ts';
import { normsOf } from '../../shared/method/conceptprune/norms.ts';
import type { CohortSum } from '../../shared/statistics/cohort-sum.ts';
import { decodeCohortSum } from '../../shared/statistics/cohort-sum-file.ts';
import { campaignOf } from './conceptprune-campaign.ts';
import { type GoldenPair, readGoldenPair } from './conceptprune-pair.ts';
import { compareMask, type OwnLayer } from './conceptprune-vectors.ts';
import type { GoldenResult } from './result.ts';

/** Norms: of the layer's and step's largest. */
const normTolerance = 1e-4;
/** Bits that differ at ties: of the bits the reference sets. */
const tieTolerance = 1e-3;

/**
 * Checks pairs conceptprune-NAME.{json,safetensors} as a user would get them: each is swept as a campaign by a coordinator
 * and a worker of its own fleet, and the stored sums and mask are compared. Per layer: norms, and bits that differ and
 * must not; per pair: the share of bits that differ at ties.
 *
 * @throws LetheError what the fleet throws, and the failure of a concept.
 */
export async function* checkConceptPrune(
  directory: string,
  checkpointDirectory: string,
  names: readonly string[],
): AsyncGenerator<GoldenResult> {
  const data = await mkdtemp(join(tmpdir(), 'lethe-golden-'));
  const checkpoint = await openCheckpoint(resolve(checkpointDirectory));
  const setup = { data, workers: 1, checkpoints: [checkpoint.directory], port: 0, environment: process.env };
  const fleet = await startLocalFleet(setup, () => undefined);
  const client = new FleetClient(fleet.address);
  try {
    for (const name of names) {
      const pair = await readGoldenPair(directory, name);
      yield* comparePair(pair, await sweep(pair, checkpoint, client, join(data, 'nats')));
    }
  } finally {
    client.close();
    await fleet.stop();
    await rm(data, { recursive: true, force: true });
  }
}

/** The layers of a pair as the fleet computed them. */
async function sweep(
  pair: GoldenPair,
  checkpoint: Checkpoint,
  client: FleetClient,
  nats: string,
): Promise<ReadonlyMap<string, OwnLayer>> {
  const text = campaignOf(pair, checkpoint.directory);
  const { campaign, plan: summary } = await client.submit({ yaml: text, source: `${pair.name}.json`, trial: false });
  const hash = await maskOf(client, campaign, pair.name);
  const mask = decodeMask(await decompressMask(await client.mask(hash), hash));

  // The plan is a pure function of what was submitted: it names the sums that the mask was made from.
  const parsed = parseCampaign(text, pair.name);
  const facts = await checkpointFacts(checkpoint, await checkpointId(checkpoint), parsed.sampling);
  const plan = planCampaign(parsed, facts, summary?.numerics ?? '');
  const sums = await sumsOf(plan, nats);
  const [concept] = plan.concepts;
  const norms = (cohort: string | undefined, layer: string): readonly Float32Array[] => {
    const found = sums.get(cohort ?? '')?.layers.find((each) => each.layer.name === layer);
    return (found?.steps ?? []).map((step) => normsOf(step));
  };

  const layers = new Map<string, OwnLayer>();
  const weights = new Map([...checkpoint.unet.weights.tensors, ...checkpoint.textEncoder.weights.tensors]);
  for (const { name, union } of mask.layers) {
    const location = weights.get(`${name}.weight`);
    const weight = location === undefined ? undefined : (await readTensorAt(location.file, location)).data;
    const own = { base: norms(concept?.base, name), target: norms(concept?.target, name) };
    if (weight instanceof Float32Array) layers.set(name, { norms: own, union, weight });
  }
  return layers;
}

/** Waits for the campaign's end; the hash of its mask. */
async function maskOf(client: FleetClient, campaign: string, concept: string): Promise<string> {
  for await (const event of client.watch(campaign, new AbortController().signal)) {
    if (!event.ended) continue;
    const state = event.concepts.find((each) => each.concept === concept)?.state;
    if (state?.$case === 'mask') return state.value;
    const failure = state?.$case === 'failure' ? state.value : event.failure;
    throw failed(concept, failure === undefined ? 'it has no mask' : `${failure.what}: ${failure.why}`);
  }
  throw failed(concept, 'the coordinator stopped telling of it');
}

/** The stored sums that a plan is scored by, by cohort: it has one site. */
async function sumsOf(plan: Plan, nats: string): Promise<ReadonlyMap<string, CohortSum>> {
  const credentials = { kind: 'token', token: await tokenOf(nats) } as const;
  const servers = [`127.0.0.1:${(await writtenPort(nats)) ?? 0}`];
  const bus = await connectBus({ servers, clientName: 'golden', credentials });
  try {
    const wanted = new Map(sumJobs(plan).map(({ key, cohort }) => [key, cohort]));
    const found = new Map<string, CohortSum>();
    for await (const { bytes, subject } of new Records(bus).list(recordFilters.sums)) {
      const { key, sum } = decodeStored(sumRecordSchema, bytes, subject);
      const cohort = wanted.get(key);
      if (cohort !== undefined) found.set(cohort, decodeCohortSum(await new Blobs(bus).get(sum.name, sum.digest)));
    }
    return found;
  } finally {
    await bus.close();
  }
}

function* comparePair(pair: GoldenPair, own: ReadonlyMap<string, OwnLayer>): Generator<GoldenResult> {
  const { layers } = compareMask(own, pair);
  for (const { name, normError, equal, tied, wrong } of layers) {
    yield { name: `${pair.name}.${name}.norms`, error: normError, tolerance: normTolerance };
    const detail = `${equal} equal, ${tied} tied, ${wrong} wrong`;
    yield { name: `${pair.name}.${name}.mask`, error: wrong, tolerance: 0, detail };
  }
  const total = (key: 'tied' | 'set') => layers.reduce((sum, layer) => sum + layer[key], 0);
  yield { name: `${pair.name}.ties`, error: total('tied') / Math.max(total('set'), 1), tolerance: tieTolerance };
}

function failed(concept: string, why: string): LetheError {
  return new LetheError('golden-failed', {
    what: `cannot sweep ${concept}`,
    why,
    next: 'sweep the same prompts with `lethe sweep`, whose logs say more',
  });
}
