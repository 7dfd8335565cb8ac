import { join } from 'node:path';
import { Command, Option } from 'commander';
import { parseCampaign } from '../coordinator/plan/parse-campaign.ts';
import { campaignId } from '../coordinator/store/campaign-entry.ts';
import { LetheError } from '../shared/error/lethe-error.ts';
import { Classifier } from '../worker/classify/classifier.ts';
import { SessionThread } from '../worker/session/session-thread.ts';
import { emojiSdDirectory } from './default-checkpoint.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { MaskShelf } from './fleet/mask-shelf.ts';
import { comesBack, openFleet, whileItRuns } from './fleet/open-fleet.ts';
import { stopSignals } from './launcher/stop-signals.ts';
import * as options from './options.ts';
import { exitCodes } from './output/failure.ts';
import { imageEvents, imageProgress } from './output/image-progress.ts';
import { SweepEvents } from './output/sweep-events.ts';
import { sweepProgress } from './output/sweep-progress.ts';
import { readCampaign } from './read-campaign.ts';
import { CandidateMasks } from './tuning/candidate-masks.ts';
import { prepareGroup, type TuningBench, tuneGroup } from './tuning/tune-group.ts';
import { type TunedGroup, tunedText } from './tuning/tuned-group.ts';
import { tuningReport } from './tuning/tuning-report.ts';
import { writeTuning } from './tuning/write-tuning.ts';
import { workersOption } from './up.ts';
import { classifierPath } from './verification/classifier-path.ts';

interface TuneOptions extends FleetOptions {
  readonly budget?: number;
  readonly workers: number;
  readonly json?: boolean;
}

export function tuneCommand(): Command {
  return new Command('tune')
    .description("Finds the smallest masks that meet a campaign's thresholds on validation images.")
    .argument('<campaign.yaml>', 'with a tune section (docs/guide/verify-and-tune.md)')
    .addOption(
      new Option('--budget <n>', 'images that may be made for each group (default: tune.budget)').argParser(
        options.integer(1, 10_000_000),
      ),
    )
    .addOption(workersOption())
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
Masks of every candidate come from stored statistics; images are made on the fleet and kept, so the same command goes on
where an earlier one ended. With --json the result is one object on stdout, and what happens until then an object a line on
stderr. Writes a report, the trade-off curve and, for each group, the campaign that makes the winner's
masks: \`lethe verify\` it before its masks are applied.
Exit code 0 if every group has masks that meet the thresholds, 1 if some have none, 2 for a campaign that cannot be tuned.

Example:
  $ lethe tune deploy/campaign/emoji-tune.yaml --workers 2`,
    )
    .action(async (file: string, given: TuneOptions) => {
      await tune(file, given);
    });
}

async function tune(file: string, given: TuneOptions): Promise<void> {
  const text = await readCampaign(file);
  const campaign = parseCampaign(text, file);
  const { tune: section } = campaign;
  if (section === undefined)
    throw new LetheError('campaign-invalid', {
      what: 'cannot tune the campaign',
      where: file,
      why: 'it has no tune section',
      next: 'say which images and labels show its concepts; docs/guide/verify-and-tune.md has an example',
    });
  const settings = await fleetSettings(given);
  const thread = new SessionThread();
  const progress = given.json === true ? new SweepEvents(process.stderr) : sweepProgress(process.stderr);
  const say = (line: string): void => {
    progress.say(line);
  };
  const drawn = given.json === true ? imageEvents(process.stderr) : imageProgress(process.stderr);
  const signals = stopSignals();
  try {
    // Before a fleet is started for it: a classifier that cannot be used is found out at once.
    const classifier = await Classifier.open(classifierPath(campaign, file), thread, {
      provider: 'cpu',
      threads: 1,
    });
    const { heads } = classifier.file;
    const budget = given.budget ?? section.budget;
    const prepared = groupsOf(
      campaign.concepts.map(({ name }) => name),
      section.together ?? [],
    ).map((concepts) => prepareGroup(campaign, section, concepts, heads, file, budget));
    const setup = {
      workers: given.workers,
      checkpoints: [campaign.checkpoint ?? emojiSdDirectory],
      environment: process.env,
    };
    const fleet = await openFleet(settings, setup, say);
    signals.onSecond(() => fleet.own?.kill());
    try {
      const shelf = new MaskShelf(settings.data, fleet.client);
      const id = campaignId(campaign.name, text);
      const folder = join(settings.data, 'tuning', id);
      const bench: TuningBench = {
        campaign,
        tune: section,
        text,
        client: fleet.client,
        masks: new CandidateMasks(fleet.client, shelf, text, file, progress, signals.signal, () =>
          comesBack(fleet, settings),
        ),
        classifier,
        watcher: {
          onProgress: drawn.update,
          onNotice: (job, notice) => {
            drawn.stop();
            progress.notice(job, notice);
          },
          signal: signals.signal,
        },
        folder,
        tell: (line) => {
          drawn.stop();
          say(line);
        },
      };
      const groups: TunedGroup[] = [];
      for (const group of prepared) groups.push(await whileItRuns(fleet, tuneGroup(bench, group)));
      const data = tuningReport(campaign, section, id, file, new Date().toISOString(), groups);
      const json = await writeTuning(folder, id, groups, data);
      progress.stop();
      const lines = [...groups.map(tunedText), `report      ${json.report}`];
      process.stdout.write(`${given.json === true ? JSON.stringify(json) : lines.join('\n\n')}\n`);
      if (groups.some(({ certainty }) => certainty === 'missed')) process.exitCode = exitCodes.failed;
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
    signals.release();
    await thread.close();
  }
}

/** Concepts that are active together, and every other by itself. */
function groupsOf(
  concepts: readonly string[],
  together: readonly (readonly string[])[],
): readonly (readonly string[])[] {
  const grouped = new Set(together.flat());
  return [...together, ...concepts.filter((name) => !grouped.has(name)).map((name) => [name])];
}
