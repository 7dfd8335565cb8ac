import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { Lease } from '../../shared/fleet/task.ts';
import type { Unit } from '../../shared/unit/unit.ts';
import { type ApiServer, startApiServer } from '../../coordinator/api/api-server.ts';
import type { CampaignService } from '../../coordinator/api/campaign-service.ts';
import type { ImageService } from '../../coordinator/api/image-service.ts';
import type { MaskService } from '../../coordinator/api/mask-service.ts';
import type { ConnectedWorker, WorkerEvent } from '../../coordinator/api/worker-gate.ts';

export const emojiSd = join('checkpoint', 'emoji-sd');
export const plainText = { kind: 'plain-text-loopback' } as const;

/** A campaign service that nobody asks anything. */
export const noCampaigns: CampaignService = {
  submit: () => Promise.reject(new Error('not here')),
  plan: () => Promise.reject(new Error('not here')),
  watch: async function* () {
    await Promise.reject(new Error('not here'));
    yield* [];
  },
  cancel: () => Promise.reject(new Error('not here')),
  status: () => Promise.resolve([]),
  workers: () => Promise.resolve([]),
};

/** Masks that nobody asks for. */
export const noMasks = {} as MaskService;

/** A service that makes no images. */
export const noImages: ImageService = {
  request: () => Promise.reject(new Error('not asked for here')),
  // eslint-disable-next-line require-yield -- there are none
  async *read() {
    await Promise.reject(new Error('not asked for here'));
  },
};

/** A coordinator whose dispatch is the spec: it keeps what workers say, and waits for what they will say. */
export class HandDispatch {
  readonly workers: ConnectedWorker[] = [];
  readonly events: WorkerEvent[] = [];
  #waiting: (() => void)[] = [];

  onWorker(worker: ConnectedWorker): (event: WorkerEvent) => void {
    this.workers.push(worker);
    this.#changed();
    return (event) => {
      this.events.push(event);
      this.#changed();
    };
  }

  /** The first thing that `find` finds, now or later. */
  async until<T>(find: (dispatch: this) => T | undefined): Promise<T> {
    for (let found = find(this); ; found = find(this)) {
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The worker of this number (from 0) once it has a credit. */
  async ready(number = 0): Promise<ConnectedWorker> {
    return this.until(({ workers }) => {
      const worker = workers[number];
      return worker !== undefined && worker.credits > 0 ? worker : undefined;
    });
  }

  async event<K extends WorkerEvent['kind']>(
    kind: K,
    matches: (event: Extract<WorkerEvent, { kind: K }>) => boolean = () => true,
  ): Promise<Extract<WorkerEvent, { kind: K }>> {
    return this.until(({ events }) =>
      events.find((event): event is Extract<WorkerEvent, { kind: K }> => {
        return event.kind === kind && matches(event as Extract<WorkerEvent, { kind: K }>);
      }),
    );
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** A coordinator's server and the spec's hand on it. */
export async function startCoordinator(
  address = '127.0.0.1:0',
): Promise<{ server: ApiServer; dispatch: HandDispatch }> {
  const dispatch = new HandDispatch();
  return { server: await startApiServer(address, plainText, 'c1', dispatch, noCampaigns, noMasks, noImages), dispatch };
}

/** A real worker with emoji-sd. */
export function startWorker(address: string, ...flags: readonly string[]): ChildProcess {
  const settings = ['--coordinator', address, '--checkpoint', emojiSd, '--name', 'w1', '--insecure', 'true'];
  return fork(join('dist', 'worker', 'run', 'main.js'), [...settings, ...flags], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** Its exit code, or the signal that ended it. */
export async function exitOf(worker: ChildProcess): Promise<number | string | null> {
  if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit');
  return worker.exitCode ?? worker.signalCode;
}

/** Four trajectories of emoji-sd over the first steps (all, unless said otherwise: seconds), as a worker of this numerics class would be leased them. */
export async function leaseOf(task: string, numerics: string, steps = 51): Promise<Lease> {
  const checkpoint = await checkpointId(await openCheckpoint(emojiSd));
  const unit: Unit = {
    kind: 'denoise',
    checkpoint,
    numerics,
    graph: '1',
    sampling: { scheduler: 'pndm', steps: 50, guidance: 7.5, height: 16, width: 16 },
    trajectories: ['a cat', 'a dog', 'a red car', 'a tree'].map((prompt) => ({ prompt, seed: '0' })),
    window: { from: 0, to: steps },
  };
  return {
    task,
    campaign: 'spec',
    unit,
    sites: ['ffn2'],
    replySubject: `$JS.ACK.${task}.1`,
    deadlines: { loading: 60_000, encoding: 10_000, step: 10_000, decoding: 10_000 },
    memory: 0,
    keepStates: true,
  };
}
