import type { Capabilities } from '../../shared/fleet/task.ts';

/** What a worker is told when it is set up. */
export interface WorkerSetup {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Leases it holds at once; one of them runs. With 2 the next one is there when the first is done. */
  readonly slots: number;
  /** Milliseconds a draining worker has to finish what it does and to have it committed. */
  readonly grace: number;
  /** Bytes of results it keeps before it stops asking for work. */
  readonly keep: number;
}
