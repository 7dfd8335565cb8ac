import { createHash } from 'node:crypto';
import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { summaryOf } from '../../shared/fleet/blob.ts';
import type { FinishedTask, Lease, WorkerHello } from '../../shared/fleet/task.ts';
import { layersOf, sites } from '../../shared/model/site.ts';
import { partialLength, type TappedLayer } from '../../shared/statistics/partial.ts';
import { graphVersion, type Unit, unitHash, unitSize } from '../../shared/unit/unit.ts';
import type { ConnectedWorker, WorkerEvent, WorkerGate } from '../api/worker-gate.ts';

/** What a simulated worker does with a lease. */
export type Deed =
  | { readonly kind: 'finish' }
  /** Finishes an image unit with so many images, and says that it has no more trajectories. */
  | { readonly kind: 'draw'; readonly images: number }
  | { readonly kind: 'fail'; readonly code: string; readonly why?: string }
  /** Its stream ends, and it is not heard of again. */
  | { readonly kind: 'vanish' }
  /** It says nothing more of the task. */
  | { readonly kind: 'hang' };

/**
 * A worker without a model: its statistics are made of the names of what was asked for, so they are the same whoever gives
 * them, and a state is the step it stands at.
 */
export class SimulatedWorker implements ConnectedWorker {
  readonly hello: WorkerHello;
  readonly leases: Lease[] = [];
  /** Steps of trajectories that it ran, of those that it ran again too. */
  steps = 0;
  readonly #checkpoint: Checkpoint;
  readonly #deed: (lease: Lease, count: number) => Deed;
  readonly #results = new Map<string, { readonly finished: FinishedTask; readonly blobs: readonly Uint8Array[] }>();
  #tell: (event: WorkerEvent) => void = () => undefined;
  #gone = false;
  #end: () => void = () => undefined;
  readonly #ended = new Promise<never>((_, reject) => {
    this.#end = () => {
      reject(lost());
    };
  });
  credits = 0;
  /** Blobs that were asked for are on their way until this resolves. */
  sending: Promise<void> = Promise.resolve();
  /** Results whose blobs were asked for. */
  collections = 0;

  constructor(
    name: string,
    id: string,
    checkpoint: Checkpoint,
    deed: (lease: Lease, count: number) => Deed = () => ({ kind: 'finish' }),
    memory = 2 ** 40,
    numerics = 'simulated',
    finished: readonly FinishedTask[] = [],
  ) {
    this.#ended.catch(() => undefined);
    this.#checkpoint = checkpoint;
    this.#deed = deed;
    this.hello = {
      protocol: 1,
      worker: name,
      capabilities: {
        device: 'simulated',
        memory,
        providers: ['none'],
        numerics,
        graph: graphVersion,
        checkpoints: [id],
        version: '0',
        units: ['denoise', 'encode', 'image'],
      },
      running: [],
      finished,
    };
  }

  connect(gate: WorkerGate, credits = 1): void {
    this.#tell = gate.onWorker(this);
    this.credits = credits;
    this.#tell({ kind: 'credits' });
  }

  /** The same worker on another stream, which tells of the results that it keeps. */
  reopened(): SimulatedWorker {
    const { worker, capabilities } = this.hello;
    const { checkpoints, memory, numerics } = capabilities;
    const other = new SimulatedWorker(
      worker,
      checkpoints[0] ?? '',
      this.#checkpoint,
      this.#deed,
      memory,
      numerics,
      [...this.#results.values()].map(({ finished }) => finished),
    );
    for (const [task, result] of this.#results) other.#results.set(task, result);
    return other;
  }

  /** The same worker, which offers a result of a lease that another one has. */
  withResultOf(lease: Lease): SimulatedWorker {
    this.#results.set(lease.task, this.#resultOf(lease, unitSize(lease.unit).items));
    return this.reopened();
  }

  /** Results that it was not told to forget. */
  get kept(): number {
    return this.#results.size;
  }

  leave(): void {
    if (this.#gone) return;
    this.disconnect();
    this.#tell({ kind: 'gone', cause: lost() });
  }

  lease(lease: Lease, states: readonly Uint8Array[]): Promise<void> {
    if (this.#gone) return Promise.reject(lost());
    this.credits -= 1;
    this.leases.push(lease);
    // As a stream would: later than the call.
    setImmediate(() => {
      this.#work(lease, states);
    });
    return Promise.resolve();
  }

  async collect({ task }: FinishedTask): Promise<readonly Uint8Array[]> {
    const result = this.#results.get(task);
    if (this.#gone || result === undefined) throw lost();
    this.collections += 1;
    await Promise.race([this.sending, this.#ended]);
    return result.blobs;
  }

  forget(task: string): void {
    this.#results.delete(task);
  }

  cancel(task: string, reason: string): void {
    const { replySubject } = this.leases.find((lease) => lease.task === task) ?? { replySubject: '' };
    setImmediate(() => {
      this.#say({ kind: 'handed-back', task, reason, replySubject });
      this.#free();
    });
  }

  drain(): void {
    this.#say({ kind: 'draining' });
  }

  disconnect(): void {
    this.#gone = true;
    this.#end();
  }

  #work(lease: Lease, states: readonly Uint8Array[]): void {
    const { task, unit, replySubject } = lease;
    const deed = this.#deed(lease, this.leases.length);
    this.#say({ kind: 'progress', task, phase: { kind: 'step', step: 0 } });
    switch (deed.kind) {
      case 'hang':
        return;
      case 'vanish':
        this.leave();
        return;
      case 'fail': {
        const failure = {
          code: deed.code,
          what: 'simulated',
          where: '',
          why: deed.why ?? '',
          next: '',
          layer: undefined,
          step: undefined,
        };
        this.#say({ kind: 'failed', task, failure, replySubject });
        break;
      }
      case 'draw':
      case 'finish': {
        if (unit.kind === 'denoise')
          this.steps += unit.trajectories.length * (unit.window.to - (states.length > 0 ? unit.window.from : 0));
        const items = deed.kind === 'draw' ? deed.images : unitSize(unit).items;
        const result = this.#resultOf(lease, items);
        this.#results.set(task, result);
        this.#say({ kind: 'finished', finished: result.finished });
      }
    }
    this.#free();
  }

  #resultOf({ task, unit, sites: wanted, replySubject, keepStates }: Lease, items: number) {
    const layers = sites
      .filter(({ name }) => wanted.includes(name))
      .flatMap((site) =>
        layersOf(site, this.#checkpoint[site.component === 'unet' ? 'unet' : 'textEncoder'].weights).map(
          (layer): TappedLayer => ({ site: site.name, name: layer.name, neurons: layer.in }),
        ),
      );
    const { steps } = unitSize(unit);
    const states =
      unit.kind === 'denoise' && keepStates ? unit.trajectories.map(() => Buffer.from(String(unit.window.to))) : [];
    const blobs =
      unit.kind === 'image'
        ? Array.from({ length: items }, (_, i) => pngOf(i))
        : [Buffer.from(statistics(unit, layers).buffer), ...states];
    const finished: FinishedTask = {
      task,
      unit: unitHash(unit),
      sites: wanted,
      replySubject,
      layers,
      steps,
      items,
      blobs: blobs.map(summaryOf),
      timings: { loading: 0, encoding: 0, steps: 1, decoding: 0 },
      calls: { unetCalls: unit.kind === 'denoise' ? items * steps : 0, unetRuns: 0, prompts: 0 },
      timesteps:
        unit.kind === 'denoise' ? Array.from({ length: steps }, (_, i) => 1000 - 20 * (unit.window.from + i)) : [],
    };
    return { finished, blobs };
  }

  #free(): void {
    if (this.#gone) return;
    this.credits += 1;
    this.#tell({ kind: 'credits' });
  }

  #say(event: WorkerEvent): void {
    if (!this.#gone) this.#tell(event);
  }
}

/** As much of a PNG file of 16 by 16 pixels as coordinators look at, and a number. */
function pngOf(number: number): Buffer {
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a0000000d494844520000001000000010', 'hex'),
    Buffer.alloc(9, number),
  ]);
}

/** Numbers below 1, the same for the same prompt, layer and step. */
function statistics(unit: Unit, layers: readonly TappedLayer[]): Float32Array<ArrayBuffer> {
  const { items, steps } = unitSize(unit);
  const names =
    unit.kind === 'encode' ? unit.prompts : unit.trajectories.map(({ prompt, seed }) => `${prompt} ${seed}`);
  const from = unit.kind === 'denoise' ? unit.window.from : 0;
  const values = new Float32Array(partialLength(layers, steps, items));
  let at = 0;
  for (let step = 0; step < steps; step++)
    for (const { site, name, neurons } of layers)
      for (const item of names) {
        const digest = createHash('sha512')
          .update(`${item} ${site} ${name} ${from + step}`)
          .digest();
        for (let i = 0; i < neurons; i++) values[at++] = ((digest[i % 64] ?? 0) * (1 + (i % 7))) / 2048;
      }
  return values;
}

function lost(): LetheError {
  return new LetheError('fleet-lost', { what: 'the stream is over', why: 'the simulation ended it', next: 'nothing' });
}
