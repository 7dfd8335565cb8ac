import { inCampaign } from '../../coordinator/plan/campaign-place.ts';
import type { Campaign } from '../../coordinator/plan/campaign.ts';
import { ofSetting } from '../../shared/config/of-setting.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { Classifier } from '../../worker/classify/classifier.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { emojiSdDirectory } from '../default-checkpoint.ts';
import { stopSignals } from '../launcher/stop-signals.ts';
import { exitCodes } from '../output/failure.ts';
import { imageEvents, imageProgress } from '../output/image-progress.ts';
import { SweepEvents } from '../output/sweep-events.ts';
import { type SweepProgress, sweepProgress } from '../output/sweep-progress.ts';
import { describedClassifier } from '../verification/classifier-path.ts';
import type { FleetClient } from './fleet-client.ts';
import { type FleetOptions, type FleetSettings, fleetSettings } from './fleet-settings.ts';
import { comesBack, openFleet, whileItRuns } from './open-fleet.ts';
import { checkBeforeFleet } from './plan-here.ts';
import type { ImageWatcher } from './request-images.ts';

/** What commands are told that have images made and look at them. */
export interface ImageOptions extends FleetOptions {
  /** Of a fleet that is started for the command. */
  readonly workers: number;
  readonly json?: boolean;
}

/** What such a command works with while it runs. */
export interface ImageSession {
  readonly settings: FleetSettings;
  readonly client: FleetClient;
  readonly classifier: Classifier;
  /** Of the campaigns that are swept. */
  readonly progress: SweepProgress;
  /** Of the images that are made. */
  readonly watcher: ImageWatcher;
  readonly signal: AbortSignal;
  /** Whether a coordinator that does not answer can be expected again. */
  readonly comesBack: () => Promise<boolean>;
  /** A line for people, or an event, on stderr. */
  readonly tell: (text: string) => void;
  /** Takes the bars away, before a result is printed. */
  readonly clear: () => void;
}

/**
 * Opens what a command needs to have a campaign's images made and looked at, and ends it with the command, however that
 * ends. Stopped by a signal, the command says that it goes on from there, and its exit code is that of an interruption.
 *
 * @param yaml what the campaign was read from
 * @param file the campaign's path
 * @param check is called before a fleet is started for the command, with the classifier's labels by head
 * @throws LetheError what `check` and `work` throw, of a classifier that cannot be used, and of a fleet that cannot be opened.
 */
export async function withImageSession<T>(
  campaign: Campaign,
  yaml: string,
  file: string,
  given: ImageOptions,
  check: (heads: Readonly<Record<string, readonly string[]>>) => T,
  work: (session: ImageSession, checked: T) => Promise<void>,
): Promise<void> {
  const settings = await fleetSettings(given);
  const signals = stopSignals();
  const thread = new SessionThread();
  const progress = given.json === true ? new SweepEvents(process.stderr) : sweepProgress(process.stderr);
  const drawn = given.json === true ? imageEvents(process.stderr) : imageProgress(process.stderr);
  const tell = (text: string): void => {
    drawn.stop();
    progress.say(text);
  };
  const clear = (): void => {
    drawn.stop();
    progress.stop();
  };
  try {
    await checkBeforeFleet(yaml, file, campaign, settings);
    const within = inCampaign(yaml, file);
    const { classifier, checked } = await within(async () => {
      const { path } = await describedClassifier(campaign, file);
      const opened = await ofSetting(['verify', 'classifier'], () =>
        Classifier.open(path, thread, { provider: 'cpu', threads: 1 }),
      );
      return { classifier: opened, checked: check(opened.file.heads) };
    });
    const checkpoints = [campaign.checkpoint ?? emojiSdDirectory];
    const setup = { workers: given.workers, checkpoints, environment: process.env };
    const fleet = await openFleet(settings, setup, tell);
    signals.onSecond(() => fleet.own?.kill());
    try {
      const watcher: ImageWatcher = {
        onProgress: drawn.update,
        onNotice: (job, notice) => {
          drawn.stop();
          progress.notice(job, notice);
        },
        signal: signals.signal,
      };
      const { client } = fleet;
      const session = { settings, client, classifier, progress, watcher, signal: signals.signal, tell, clear };
      await whileItRuns(fleet, work({ ...session, comesBack: () => comesBack(fleet, settings) }, checked));
    } finally {
      await fleet.close();
    }
  } catch (error) {
    if (!signals.signal.aborted || !(error instanceof LetheError && error.code === 'unit-stopped')) throw error;
    tell('stopped; the same command goes on from here');
    process.exitCode = exitCodes.interrupted;
  } finally {
    clear();
    await thread.close();
    signals.release();
  }
}
