import { join } from 'node:path';
import { Command, Option } from 'commander';
import { parseCampaign } from '../coordinator/plan/parse-campaign.ts';
import type { Campaign } from '../coordinator/plan/campaign.ts';
import { campaignId } from '../coordinator/store/campaign-entry.ts';
import { LetheError } from '../shared/error/lethe-error.ts';
import { Classifier } from '../worker/classify/classifier.ts';
import { SessionThread } from '../worker/session/session-thread.ts';
import { emojiSdDirectory } from './default-checkpoint.ts';
import type { FleetClient } from './fleet/fleet-client.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { followCampaign } from './fleet/follow-campaign.ts';
import { MaskShelf } from './fleet/mask-shelf.ts';
import { comesBack, openFleet, whileItRuns } from './fleet/open-fleet.ts';
import { errorOfFailure } from './fleet/remote-error.ts';
import type { ImageWatcher } from './fleet/request-images.ts';
import { stopSignals } from './launcher/stop-signals.ts';
import * as options from './options.ts';
import { imageEvents, imageProgress } from './output/image-progress.ts';
import { exitCodes } from './output/failure.ts';
import { SweepEvents } from './output/sweep-events.ts';
import { type SweepProgress, sweepProgress } from './output/sweep-progress.ts';
import { readCampaign } from './read-campaign.ts';
import { writeReport } from './report/write-report.ts';
import { tunedTrajectories } from './tuning/probe-lists.ts';
import { workersOption } from './up.ts';
import { classifierPath } from './verification/classifier-path.ts';
import { recordVerifications } from './verification/record-verifications.ts';
import { refuseOverlap, sweptTrajectories } from './verification/refuse-overlap.ts';
import { testPlan } from './verification/test-plan.ts';
import { masksToVerify, together } from './verification/variants.ts';
import { verificationJson } from './verification/verification-json.ts';
import { verificationReport } from './verification/verification-report.ts';
import { verificationText } from './verification/verification-text.ts';
import { verifyMasks } from './verification/verify-masks.ts';

interface VerifyOptions extends FleetOptions {
  readonly masks?: readonly string[];
  readonly images?: number;
  readonly workers: number;
  readonly json?: boolean;
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Measures what masks have erased and what they have kept, on images from the same noise before and after.',
    )
    .argument('<campaign.yaml>', 'the campaign, with its section verify (docs/guide/campaign.md)')
    .option('--masks <mask...>', "hashes or concepts (default: the campaign's masks, which are made if need be)")
    .addOption(
      new Option('--images <n>', 'test images of each target, and as many of the rest').argParser(
        options.integer(1, 100_000),
      ),
    )
    .addOption(workersOption())
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
UA: share of the target's images that are no longer recognised as it. IRA, CRA: how well the rest is recognised, by the
target's own head and by the others, as a share of before. All with 95 % intervals.
Writes a report: one HTML file with the images, in the folder of the fleet's data. What came of each mask is recorded for
\`lethe apply\`, unless --images is less than the campaign asks for. With --json the result is one object on stdout, and what
happens until then an object a line on stderr.
Exit code 0 if every threshold of the campaign holds, 1 if one does not or cannot be tested, 2 for bad input.

Example:
  $ lethe verify deploy/campaign/emoji-demo.yaml --workers 2`,
    )
    .action(async (file: string, given: VerifyOptions) => {
      await verify(file, given);
    });
}

async function verify(file: string, given: VerifyOptions): Promise<void> {
  const yaml = await readCampaign(file);
  const written = parseCampaign(yaml, file);
  const campaign = withImages(written, given.images);
  // On a few images anything may pass, and `lethe apply` asks for what is recorded alone.
  const recorded = (campaign.verify?.images ?? 0) >= (written.verify?.images ?? 0);
  const settings = await fleetSettings(given);
  const signals = stopSignals();
  const thread = new SessionThread();
  const progress = given.json === true ? new SweepEvents(process.stderr) : sweepProgress(process.stderr);
  const drawn = given.json === true ? imageEvents(process.stderr) : imageProgress(process.stderr);
  const say = (text: string): void => {
    drawn.stop();
    progress.say(text);
  };
  try {
    const classifier = await Classifier.open(classifierPath(campaign, file), thread, { provider: 'cpu', threads: 1 });
    const { heads } = classifier.file;
    // Before a fleet is started for it.
    const names = campaign.concepts.map(({ name }) => ({ title: name, masks: [], concepts: [name] }));
    const tuned = tunedTrajectories(campaign, heads, file);
    refuseOverlap(testPlan(campaign, heads, names, file), [sweptTrajectories(campaign), tuned], file);

    const checkpoints = [campaign.checkpoint ?? emojiSdDirectory];
    const setup = { workers: given.workers, checkpoints, environment: process.env };
    const fleet = await openFleet(settings, setup, say);
    signals.onSecond(() => fleet.own?.kill());
    try {
      const shelf = new MaskShelf(settings.data, fleet.client);
      const hashes =
        given.masks === undefined
          ? await whileItRuns(
              fleet,
              sweptMasks(fleet.client, yaml, file, progress, signals.signal, () => comesBack(fleet, settings)),
            )
          : await Promise.all(given.masks.map(async (name) => (await shelf.find(name)).hash));
      const { checkpoint, alone } = await masksToVerify(hashes, shelf, campaign);
      const all = campaign.verify?.together === true ? together(alone) : undefined;
      const judge = { heads, classify: classifier.classify.bind(classifier) };
      const watcher: ImageWatcher = {
        onProgress: drawn.update,
        onNotice: (job, notice) => {
          drawn.stop();
          progress.notice(job, notice);
        },
        signal: signals.signal,
      };
      const variants = all === undefined ? alone : [...alone, all];
      const verification = await whileItRuns(
        fleet,
        verifyMasks(fleet.client, campaign, checkpoint, variants, judge, [tuned], file, watcher),
      );
      drawn.stop();
      if (recorded) await recordVerifications(fleet.client, campaign.name, checkpoint, verification);
      else
        say(
          `not recorded, so \`lethe apply\` does not take it for a verification: the campaign asks for ${written.verify?.images ?? 0} images, and --images is ${given.images ?? 0}`,
        );
      const id = campaignId(campaign.name, yaml);
      const masks = await Promise.all(
        [...new Set(hashes)].map(async (hash) => ({ hash, mask: await shelf.read(hash) })),
      );
      const report = await writeReport(
        join(settings.data, 'verification', id),
        verificationReport(campaign, id, file, new Date().toISOString(), verification, masks),
      );
      process.stdout.write(
        given.json === true
          ? `${JSON.stringify({ campaign: campaign.name, checkpoint, ...verificationJson(verification), recorded, report })}\n`
          : `${verificationText(verification.results, verification.reuse)}\n\nimages      ${verification.images}\nreport      ${report}\n`,
      );
      if (!verification.passed) process.exitCode = exitCodes.failed;
    } finally {
      await fleet.close();
    }
  } catch (error) {
    if (!signals.signal.aborted || !(error instanceof LetheError && error.code === 'unit-stopped')) throw error;
    say('stopped; the same command goes on from here');
    process.exitCode = exitCodes.interrupted;
  } finally {
    drawn.stop();
    progress.stop();
    await thread.close();
    signals.release();
  }
}

/** The campaign's masks; what of them is not there is made first. @returns hashes. */
async function sweptMasks(
  client: FleetClient,
  yaml: string,
  source: string,
  progress: SweepProgress,
  signal: AbortSignal,
  comesBackAgain: () => Promise<boolean>,
): Promise<readonly string[]> {
  const { campaign } = await client.submit({ yaml, source });
  const state = await followCampaign(client, campaign, progress, signal, comesBackAgain);
  // Images are drawn next, with a bar of their own.
  progress.stop();
  if (state === undefined) throw stopped(campaign);
  if (state.failure !== undefined) throw errorOfFailure(state.failure);
  return state.concepts.flatMap(({ state: each }) => (each?.$case === 'mask' ? [each.value] : []));
}

function withImages(campaign: Campaign, images: number | undefined): Campaign {
  const { verify: section } = campaign;
  return images === undefined || section === undefined ? campaign : { ...campaign, verify: { ...section, images } };
}

function stopped(campaign: string): LetheError {
  return new LetheError('unit-stopped', {
    what: 'no longer waiting for the masks',
    where: campaign,
    why: 'it was asked to stop',
    next: 'run the command again: it goes on from there',
  });
}
