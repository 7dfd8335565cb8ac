import cliProgress from 'cli-progress';
import type { CampaignEvent } from '../../gen/fleet/v1/campaign.ts';
import { escaped } from './escape.ts';
import { duration, shortHash } from './figures.ts';
import { printTo } from './print.ts';
import { progressLine, type ProgressState } from './progress-line.ts';
import { terminalOf } from './terminal.ts';
import type { Notice } from './waiting-notice.ts';

/** Shows how far a campaign is. */
export interface SweepProgress {
  update(state: CampaignEvent): void;
  /** That a campaign waits, and why; or that it goes on. */
  notice(campaign: string, notice: Notice): void;
  /** A line that stays. */
  say(text: string): void;
  stop(): void;
}

/** A bar for the campaign and one a worker on a terminal; plain lines elsewhere, which a log keeps. To `stream`. */
export function sweepProgress(stream: NodeJS.WriteStream): SweepProgress {
  return terminalOf(stream).redraws ? new Bars(stream) : new Lines(stream);
}

function noticeText(campaign: string, notice: Notice): string {
  if (notice.kind === 'goes-on') return `${campaign} goes on`;
  const { what, why, next } = notice.why;
  return `${campaign}: ${what}: ${why}; ${next}`;
}

/** Units of a campaign, and those that have ended. */
function unitsOf({ units }: CampaignEvent): { readonly total: number; readonly ended: number } {
  const { waiting = 0, leased = 0, done = 0, failed = 0 } = units ?? {};
  return { total: waiting + leased + done + failed, ended: done + failed };
}

function rateOf({ workers }: CampaignEvent): number {
  return workers.reduce((sum, { unetCallsPerSecond }) => sum + unetCallsPerSecond, 0);
}

function speed(rate: number): readonly string[] {
  return rate === 0 ? [] : [`${rate.toFixed(1)} UNet calls/s`];
}

function eta({ remainingSeconds }: CampaignEvent): readonly string[] {
  return remainingSeconds === undefined ? [] : [`${duration(remainingSeconds)} left`];
}

class Bars implements SweepProgress {
  readonly #stream: NodeJS.WriteStream;
  readonly #rows = new Map<string, cliProgress.SingleBar>();
  /** From the first row until they are stopped: without rows, what it is given to log is never printed. */
  #bars: cliProgress.MultiBar | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  update(state: CampaignEvent): void {
    const { total, ended } = unitsOf(state);
    // It is being planned.
    if (total === 0) return;
    const masks = state.concepts.filter(({ state: each }) => each?.$case === 'mask').length;
    const ofMasks = `${masks}/${state.concepts.length} masks`;
    this.#row(state.campaign, total, ended, [...eta(state), ofMasks, ...speed(rateOf(state))]);
    for (const { worker, units, unetCallsPerSecond } of state.workers)
      this.#row(worker, total, units, speed(unetCallsPerSecond));
  }

  notice(campaign: string, notice: Notice): void {
    this.say(noticeText(campaign, notice));
  }

  say(text: string): void {
    if (this.#bars === undefined) printTo(this.#stream, escaped(text));
    else this.#bars.log(`${escaped(text)}\n`);
  }

  stop(): void {
    // It prints what there is to log; stopping does not.
    this.#bars?.update();
    this.#bars?.stop();
    this.#bars = undefined;
    this.#rows.clear();
  }

  #row(title: string, total: number, value: number, notes: readonly string[]): void {
    this.#bars ??= newBars(this.#stream);
    const row = this.#rows.get(title) ?? this.#bars.create(total, value, { title, notes });
    this.#rows.set(title, row);
    row.setTotal(total);
    row.update(Math.min(value, total), { title, notes });
  }
}

/** What a row is given beside its numbers. */
type Row = Pick<ProgressState, 'title' | 'notes'>;

function newBars(stream: NodeJS.WriteStream): cliProgress.MultiBar {
  return new cliProgress.MultiBar({
    stream,
    format: (_, { value: done, total }, row: Row) =>
      progressLine({ ...row, done, total, unit: 'units' }, terminalOf(stream), true),
    hideCursor: true,
    clearOnComplete: false,
    gracefulExit: false,
  });
}

class Lines implements SweepProgress {
  readonly #stream: NodeJS.WriteStream;
  readonly #ended = new Set<string>();
  #printed = -1;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  update(state: CampaignEvent): void {
    const { total, ended } = unitsOf(state);
    // Without units it is being planned.
    const tenth = total === 0 ? this.#printed : Math.floor((10 * ended) / total);
    if (tenth !== this.#printed) {
      this.#printed = tenth;
      this.say([`${state.campaign} ${ended}/${total} units`, ...speed(rateOf(state)), ...eta(state)].join(', '));
    }
    for (const { concept, state: each } of state.concepts) {
      if (each === undefined || each.$case === 'remaining' || this.#ended.has(concept)) continue;
      this.#ended.add(concept);
      this.say(each.$case === 'mask' ? `${concept}: mask ${shortHash(each.value)}` : `${concept}: failed`);
    }
  }

  notice(campaign: string, notice: Notice): void {
    this.say(noticeText(campaign, notice));
  }

  say(text: string): void {
    printTo(this.#stream, escaped(text));
  }

  stop(): void {
    // Every line that was written stands.
  }
}
