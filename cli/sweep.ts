import { Command } from 'commander';
import type { PlanResponse } from '../gen/fleet/v1/campaign.ts';
import { parseCampaign } from '../coordinator/plan/parse-campaign.ts';
import { campaignId } from '../coordinator/store/campaign-entry.ts';
import { LetheError } from '../shared/error/lethe-error.ts';
import { emojiSdDirectory } from './default-checkpoint.ts';
import { timeoutOption } from './fleet/await-serving.ts';
import { whoAmI } from './fleet/change-cause.ts';
import { type MaskChange, madeChange } from './fleet/change-masks.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import type { FleetClient } from './fleet/fleet-client.ts';
import { followCampaign } from './fleet/follow-campaign.ts';
import { MaskShelf, masksIn } from './fleet/mask-shelf.ts';
import { comesBack, openFleet, whileItRuns } from './fleet/open-fleet.ts';
import { checkBeforeFleet, planOf } from './fleet/plan-here.ts';
import { errorOfFailure } from './fleet/remote-error.ts';
import { stopSignals } from './launcher/stop-signals.ts';
import * as options from './options.ts';
import { exitCodes, reportFailure } from './output/failure.ts';
import { planText } from './output/plan-text.ts';
import { SweepEvents } from './output/sweep-events.ts';
import { sweepProgress } from './output/sweep-progress.ts';
import { type ConceptSummary, conceptSummaries, type SweepSummary, summaryText } from './output/sweep-summary.ts';
import { readCampaign } from './read-campaign.ts';
import { workersOption } from './up.ts';
import { printResult, tell } from './output/print.ts';
import { checkSections } from './verification/check-sections.ts';

interface SweepOptions extends FleetOptions {
  readonly plan?: boolean;
  readonly cancel?: boolean;
  /** Why it is cancelled. */
  readonly reason?: string;
  readonly apply?: boolean;
  /** Seconds that serving processes have to take over what --apply makes active. */
  readonly timeout: number;
  readonly workers: number;
  readonly json?: boolean;
}

export function sweepCommand(): Command {
  return new Command('sweep')
    .argument('<campaign.yaml>', 'what to look for, in which checkpoint (docs/guide/campaign.md)')
    .option('--plan', 'check the campaign and print what it would cost; nothing runs, and no fleet is needed')
    .option('--cancel', 'end the campaign; its results stay')
    .option('--reason <text>', 'with --cancel: why')
    .option(
      '--apply',
      'make the masks active at once, as `lethe apply --force --reason "sweep --apply"` would: verified or not',
    )
    .addOption(timeoutOption())
    .addOption(workersOption())
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
Starts a fleet on this machine for the run if there is none (--workers). The same command goes on where an earlier one
ended: what is stored is not run again. Ctrl-C ends that fleet in order; of a fleet that was there it only stops following.
With --json the result is one object on stdout, and every change until then an object a line on stderr.
Exit code 0 if every concept has its mask, 1 if some have none or, with --apply, serving processes are behind after --timeout, 2 for a campaign that cannot be run.

Example:
  $ lethe sweep deploy/campaign/emoji-demo.yaml --workers 2`,
    )
    .action(async (file: string, given: SweepOptions) => {
      if (given.reason !== undefined && given.cancel !== true) throw reasonAlone();
      await sweep(file, given);
    });
}

function reasonAlone(): LetheError {
  return new LetheError('usage', {
    what: 'cannot run lethe sweep',
    where: '--reason',
    why: 'a reason is of a campaign that is ended, and --cancel is missing',
    next: 'add --cancel, or leave --reason out',
  });
}

async function sweep(file: string, given: SweepOptions): Promise<void> {
  const yaml = await readCampaign(file);
  const campaign = parseCampaign(yaml, file);
  const settings = await fleetSettings(given);
  if (given.cancel === undefined) {
    await checkBeforeFleet(yaml, file, campaign, settings);
    await checkSections(yaml, file, campaign);
  }
  const checkpoints = [campaign.checkpoint ?? emojiSdDirectory];
  // Cancelling needs nobody who computes.
  const workers = given.cancel === undefined ? given.workers : 0;
  const progress = given.json === true ? new SweepEvents(process.stderr) : sweepProgress(process.stderr);
  const say = (text: string): void => {
    progress.say(text);
  };
  if (given.plan === true && given.cancel === undefined) {
    const plan = await planOf(yaml, file, campaign, settings, workers, say);
    printResult(given, { campaign: campaign.name, ...plan }, planText(campaign.name, campaign.concepts.length, plan));
    return;
  }
  const signals = stopSignals();
  const fleet = await openFleet(settings, { workers, checkpoints, environment: process.env }, say);
  signals.onSecond(() => {
    progress.stop();
    fleet.own?.kill();
  });
  try {
    const request = { yaml, source: file, trial: false };
    if (given.cancel !== undefined) {
      const id = campaignId(campaign.name, yaml);
      await fleet.client.cancel(id, given.reason ?? '');
      printResult(given, { campaign: id, cancelled: true }, `${id} is cancelled; its results stay`);
      return;
    }
    const started = performance.now();
    const { campaign: id, plan } = await fleet.client.submit(request);
    for (const warning of plan?.warnings ?? []) say(`warning: ${warning}`);
    for (const { worker, reason } of plan?.leftOut ?? []) say(`${worker} is left out: ${reason}`);
    const following = followCampaign(fleet.client, id, progress, signals.signal, () => comesBack(fleet, settings));
    const state = await whileItRuns(fleet, following);
    progress.stop();
    if (state === undefined) {
      say(
        fleet.own === undefined
          ? `no longer following ${id}; it goes on (--cancel ends it)`
          : 'ending the fleet; the same command goes on from here',
      );
      process.exitCode = exitCodes.interrupted;
      return;
    }
    if (state.failure?.code === 'campaign-cancelled') throw errorOfFailure(state.failure);
    const seconds = (performance.now() - started) / 1000;
    const left = await fleet.client.plan(request);
    const { done = 0, failed = 0, waiting = 0, leased = 0 } = state.units ?? {};
    const shelf = new MaskShelf(masksIn(settings.data), fleet.client);
    const concepts = await conceptSummaries(state, shelf);
    const active = given.apply === true ? await applied(fleet.client, concepts, shelf, given.timeout) : undefined;
    const summary: SweepSummary = {
      campaign: id,
      units: { total: done + failed + waiting + leased, done, failed },
      unetCalls: { made: made(plan, left), total: left.totalUnetCalls, reference: left.referenceUnetCalls },
      seconds,
      concepts,
      masks: shelf.folder,
      ...(active !== undefined && 'manifest' in active
        ? { manifest: active.manifest, processes: active.processes, missing: active.missing }
        : {}),
    };
    printResult(given, { ...summary }, summaryText(summary));
    reportFailed(summary, given.json === true);
    const trouble = active === undefined ? undefined : 'refusal' in active ? active.refusal : active.behind;
    if (trouble !== undefined) report(trouble);
  } finally {
    progress.stop();
    await fleet.close();
    signals.release();
  }
}

/**
 * Makes the masks active that there are, and waits for those that serve. What was found is not lost to the summary where
 * that is refused.
 */
async function applied(
  client: FleetClient,
  concepts: readonly ConceptSummary[],
  shelf: MaskShelf,
  timeout: number,
): Promise<MaskChange | { readonly refusal: unknown } | undefined> {
  const masks = concepts.flatMap(({ concept, mask }) => (mask === undefined ? [] : [{ concept, mask }]));
  const [first] = masks;
  if (first === undefined) return undefined;
  try {
    const { checkpoint } = await shelf.read(first.mask);
    const cause = { who: whoAmI(), why: 'sweep --apply', force: true };
    return await madeChange(client, checkpoint, () => client.apply(checkpoint, masks, [], cause), timeout);
  } catch (refusal) {
    return { refusal };
  }
}

/** Calls whose results were stored between two plans of one campaign. */
function made(before: PlanResponse | undefined, after: PlanResponse): number {
  return Math.max(0, (before?.unetCalls ?? 0) - after.unetCalls);
}

function report(error: unknown): void {
  const { text, exitCode } = reportFailure(error);
  tell(text);
  process.exitCode = exitCode;
}

/** @param json the result and the events have told why already */
function reportFailed({ concepts }: SweepSummary, json: boolean): void {
  const failed = concepts.filter(({ mask }) => mask === undefined);
  if (failed.length === 0) return;
  process.exitCode = exitCodes.failed;
  for (const { failure } of failed)
    if (failure !== undefined && !json) tell(reportFailure(errorOfFailure(failure)).text);
}
