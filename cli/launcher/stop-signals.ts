const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C and its like, while a command has something to end in order. */
export interface StopSignals {
  /** Resolves at the first one. */
  readonly first: Promise<void>;
  /** Aborts at the first one. */
  readonly signal: AbortSignal;
  /** `action` is called at the second one; the process then ends by it. */
  onSecond(action: () => void): void;
  /** Signals do again what they would. */
  release(): void;
}

export function stopSignals(): StopSignals {
  const aborter = new AbortController();
  let actions: (() => void)[] = [];
  const receive = (signal: NodeJS.Signals): void => {
    if (!aborter.signal.aborted) {
      aborter.abort();
      return;
    }
    for (const action of actions) action();
    release();
    process.kill(process.pid, signal);
  };
  const release = (): void => {
    actions = [];
    for (const signal of signals) process.off(signal, receive);
  };
  for (const signal of signals) process.on(signal, receive);
  const first = new Promise<void>((resolve) => {
    aborter.signal.addEventListener('abort', () => {
      resolve();
    });
  });
  return {
    first,
    signal: aborter.signal,
    onSecond(action) {
      actions.push(action);
    },
    release,
  };
}
