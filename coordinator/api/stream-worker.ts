import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { CoordinatorMessage, WorkerMessage } from '../../gen/fleet/v1/work.ts';
import type { LetheError } from '../../shared/error/lethe-error.ts';
import { BlobAssembly, chunksOf, summaryOf } from '../../shared/fleet/blob.ts';
import type { FinishedTask, Lease, WorkerHello } from '../../shared/fleet/task.ts';
import { finishedFromMessage, leaseToMessage, phaseFromMessage } from '../../shared/fleet/task-message.ts';
import { failureFromMessage } from '../../shared/fleet/unit-message.ts';
import { requireName, violation } from '../../shared/fleet/violation.ts';
import { writeDrained } from '../../shared/fleet/write-drained.ts';
import { grpcStatusOf } from './grpc-status.ts';
import type { ConnectedWorker, WorkerEvent } from './worker-gate.ts';

/** A work stream as the server sees it. */
export type WorkCall = ServerDuplexStream<WorkerMessage, CoordinatorMessage>;

/** A result that is being collected. */
interface Collection {
  readonly assembly: BlobAssembly;
  readonly resolve: (blobs: readonly Uint8Array[]) => void;
  readonly reject: (error: LetheError) => void;
}

/** A worker's stream after its hello: messages become events, and what dispatch asks for becomes messages. */
export class StreamWorker implements ConnectedWorker {
  readonly hello: WorkerHello;
  readonly #call: WorkCall;
  readonly #collections = new Map<string, Collection>();
  #credits = 0;
  #gone: LetheError | undefined;
  #tell: (event: WorkerEvent) => void = () => undefined;

  constructor(hello: WorkerHello, call: WorkCall) {
    this.hello = hello;
    this.#call = call;
  }

  get credits(): number {
    return this.#credits;
  }

  /** From here on everything is told to `listener`. */
  listen(listener: (event: WorkerEvent) => void): void {
    this.#tell = listener;
  }

  async lease(lease: Lease, states: readonly Uint8Array[]): Promise<void> {
    if (this.#credits < 1) throw violation('lease', `worker ${this.hello.worker} has no credit left`);
    this.#credits -= 1;
    const { task } = lease;
    await this.#write({ message: { $case: 'lease', value: leaseToMessage(lease, states.map(summaryOf)) } });
    for (const { blob, data } of chunksOf(states))
      await this.#write({ message: { $case: 'chunk', value: { task, blob, data: Buffer.from(data) } } });
  }

  async collect({ task, blobs }: FinishedTask): Promise<readonly Uint8Array[]> {
    if (this.#gone !== undefined) throw this.#gone;
    if (this.#collections.has(task)) throw violation('send', `task ${task} is being collected already`);
    const arrived = new Promise<readonly Uint8Array[]>((resolve, reject) => {
      this.#collections.set(task, { assembly: new BlobAssembly(blobs), resolve, reject });
    });
    this.#say({ message: { $case: 'send', value: { task } } });
    return arrived;
  }

  forget(task: string): void {
    this.#say({ message: { $case: 'forget', value: { task } } });
  }

  cancel(task: string, reason: string): void {
    this.#say({ message: { $case: 'cancel', value: { task, reason } } });
  }

  drain(reason: string): void {
    this.#say({ message: { $case: 'drain', value: { reason } } });
  }

  disconnect(cause: LetheError): void {
    if (this.#gone !== undefined) return;
    this.end(cause);
    this.#call.emit('error', grpcStatusOf(cause));
  }

  /** The stream is over. */
  end(cause: LetheError): void {
    if (this.#gone !== undefined) return;
    this.#gone = cause;
    for (const { reject } of this.#collections.values()) reject(cause);
    this.#collections.clear();
    this.#tell({ kind: 'gone', cause });
  }

  /** Takes one message. @throws LetheError `protocol-violated` */
  take({ message }: WorkerMessage): void {
    if (this.#gone !== undefined) return;
    switch (message?.$case) {
      case 'credits': {
        this.#credits += message.value.added;
        this.#tell({ kind: 'credits' });
        return;
      }
      case 'progress': {
        const { task, phase } = message.value;
        this.#tell({ kind: 'progress', task: requireName(task, 'task'), phase: phaseFromMessage(phase) });
        return;
      }
      case 'finished': {
        this.#tell({ kind: 'finished', finished: finishedFromMessage(message.value) });
        return;
      }
      case 'chunk': {
        this.#takeChunk(message.value.task, message.value.blob, message.value.data);
        return;
      }
      case 'failed': {
        const { task, failure, replySubject } = message.value;
        this.#tell({ kind: 'failed', task, failure: failureFromMessage(failure), replySubject });
        return;
      }
      case 'handedBack': {
        this.#tell({ kind: 'handed-back', ...message.value });
        return;
      }
      case 'draining': {
        this.#tell({ kind: 'draining' });
        return;
      }
      case 'hello':
        throw violation('hello', 'there was one already');
      case undefined:
        throw violation('message', 'it is of no kind that this release knows');
    }
  }

  #takeChunk(task: string, blob: number, data: Uint8Array): void {
    const collection = this.#collections.get(task);
    if (collection === undefined) throw violation('chunk', `nothing was asked of task ${task}`);
    collection.assembly.add({ blob, data });
    const { result } = collection.assembly;
    if (result === undefined) return;
    this.#collections.delete(task);
    collection.resolve(result);
  }

  /** Small messages: the stream keeps them until it can write. */
  #say(message: CoordinatorMessage): void {
    if (this.#gone === undefined) this.#call.write(message);
  }

  async #write(message: CoordinatorMessage): Promise<void> {
    if (this.#gone !== undefined) throw this.#gone;
    await writeDrained(this.#call, message);
  }
}
