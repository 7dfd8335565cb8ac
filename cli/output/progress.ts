import cliProgress from 'cli-progress';

/** How far a piece of work is. */
export interface Progress {
  /** @param done units of work finished, of the total given at the start. */
  update(done: number, note?: string): void;
  stop(): void;
}

/**
 * A bar that redraws itself on a terminal, and a plain line at every tenth elsewhere: a log keeps every character.
 * Goes to stderr, so that stdout holds results only.
 */
export function startProgress(stream: NodeJS.WriteStream, title: string, total: number): Progress {
  return stream.isTTY ? bar(stream, title, total) : lines(stream, title, total);
}

function bar(stream: NodeJS.WriteStream, title: string, total: number): Progress {
  const single = new cliProgress.SingleBar(
    {
      stream,
      format: '{title} {bar} {value}/{total} {percentage}%, {eta_formatted} left {note}',
      hideCursor: true,
      etaBuffer: 20,
    },
    cliProgress.Presets.shades_classic,
  );
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
  single.start(total, 0, { title, note: '' });
  return {
    update(done, note = '') {
      single.update(done, { note });
    },
    stop,
  };
}

function lines(stream: NodeJS.WriteStream, title: string, total: number): Progress {
  let printed = -1;
  return {
    update(done, note = '') {
      const tenth = Math.floor((10 * done) / total);
      if (tenth === printed) return;
      printed = tenth;
      stream.write(`${title} ${done}/${total} ${note}`.trimEnd() + '\n');
    },
    stop() {
      // Every line that was written stands; there is nothing to restore.
    },
  };
}
