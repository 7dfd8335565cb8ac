import cliProgress from 'cli-progress';
import type { CampaignEvent } from '../../gen/fleet/v1/campaign.ts';
import { duration, shortHash } from './figures.ts';
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
  return stream.isTTY ? new Bars(stream) : new Lines(stream);
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

function speed(rate: number): string {
  return rate === 0 ? '' : `, ${rate.toFixed(1)} UNet calls/s`;
}

function eta({ remainingSeconds }: CampaignEvent): string {
  return remainingSeconds === undefined ? '' : `, ${duration(remainingSeconds)} left`;
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
    const note = `units${speed(rateOf(state))}${eta(state)}, ${masks}/${state.concepts.length} masks`;
    this.#row(state.campaign, total, ended, note);
    for (const { worker, units, unetCallsPerSecond } of state.workers)
      this.#row(worker, total, units, `units${speed(unetCallsPerSecond)}`);
  }

  notice(campaign: string, notice: Notice): void {
    this.say(noticeText(campaign, notice));
  }

  say(text: string): void {
    if (this.#bars === undefined) this.#stream.write(`${text}\n`);
    else this.#bars.log(`${text}\n`);
  }

  stop(): void {
    // It prints what there is to log; stopping does not.
    this.#bars?.update();
    this.#bars?.stop();
    this.#bars = undefined;
    this.#rows.clear();
  }

  #row(key: string, total: number, value: number, note: string): void {
    const name = key.length > 24 ? `${key.slice(0, 23)}…` : key.padEnd(24);
    this.#bars ??= newBars(this.#stream);
    const row = this.#rows.get(key) ?? this.#bars.create(total, value, { name, note });
    this.#rows.set(key, row);
    row.setTotal(total);
    row.update(Math.min(value, total), { name, note });
  }
}

function newBars(stream: NodeJS.WriteStream): cliProgress.MultiBar {
  return new cliProgress.MultiBar(
    {
      stream,
      format: '{name} {bar} {value}/{total} {note}',
      hideCursor: true,
      clearOnComplete: false,
      barsize: 30,
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
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
      this.say(`${state.campaign} ${ended}/${total} units${speed(rateOf(state))}${eta(state)}`);
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
    this.#stream.write(`${text}\n`);
  }

  stop(): void {
    // Every line that was written stands.
  }
}
