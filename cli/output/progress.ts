import cliProgress from 'cli-progress';
import { duration } from './figures.ts';
import { printTo } from './print.ts';
import { progressLine } from './progress-line.ts';
import { RemainingTime } from './remaining-time.ts';
import { terminalOf } from './terminal.ts';

/** How far a piece of work is. */
export interface Progress {
  /** @param done units of work finished, of the total given at the start. */
  update(done: number): void;
  stop(): void;
}

/**
 * A bar that redraws itself on a terminal that can, and a plain line at every tenth elsewhere: a log keeps every character.
 * Goes to stderr, so that stdout holds results only.
 *
 * @param unit what is counted
 */
export function startProgress(stream: NodeJS.WriteStream, title: string, total: number, unit = ''): Progress {
  return terminalOf(stream).redraws ? bar(stream, title, total, unit) : lines(stream, title, total, unit);
}

function bar(stream: NodeJS.WriteStream, title: string, total: number, unit: string): Progress {
  const remaining = new RemainingTime(total);
  let notes: readonly string[] = [];
  const single = new cliProgress.SingleBar({
    stream,
    format: (_, { value }) => progressLine({ title, done: value, total, unit, notes }, terminalOf(stream)),
    hideCursor: true,
  });
  const stop = () => {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    single.stop();
  };
  // The bar hides the cursor. The signal then does what it would have done: exit() would wait for the model call under
  // way, and the process could not end inside onnxruntime. A shell reports 128 + the signal: 130 for Ctrl-C.
  const interrupt = (signal: NodeJS.Signals) => {
    stop();
    process.kill(process.pid, signal);
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  single.start(total, 0);
  return {
    update(done) {
      const seconds = remaining.at(done, performance.now() / 1000);
      const share = total === 0 ? 100 : Math.floor((100 * done) / total);
      notes = [...(seconds === undefined || done >= total ? [] : [`${duration(seconds)} left`]), `${share} %`];
      single.update(done);
    },
    stop,
  };
}

function lines(stream: NodeJS.WriteStream, title: string, total: number, unit: string): Progress {
  let printed = -1;
  return {
    update(done) {
      const tenth = Math.floor((10 * done) / total);
      if (tenth === printed) return;
      printed = tenth;
      printTo(stream, `${title} ${done}/${total} ${unit}`.trimEnd());
    },
    stop() {
      // Every line that was written stands; there is nothing to restore.
    },
  };
}
