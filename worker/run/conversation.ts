import type { CoordinatorMessage, WorkerMessage } from '../../gen/fleet/v1/work.ts';
import { chunksOf } from '../../shared/fleet/blob.ts';
import type { FinishedTask, TaskPhase, WorkerHello } from '../../shared/fleet/task.ts';
import { finishedToMessage, phaseToMessage } from '../../shared/fleet/task-message.ts';
import { failureToMessage } from '../../shared/fleet/unit-message.ts';
import { violation } from '../../shared/fleet/violation.ts';
import type { CoordinatorLink } from './coordinator-link.ts';

/** What a coordinator says after it has welcomed a worker. */
export type Instruction = Exclude<NonNullable<CoordinatorMessage['message']>, { readonly $case: 'welcome' }>;

/** Who speaks in a conversation. */
export interface ConversationListener {
  /** What the worker is and has: the first word to every coordinator. */
  hello(): WorkerHello;
  onWelcome(coordinator: string): void;
  /** What it throws ends the stream. */
  onInstruction(instruction: Instruction): void;
  /** Nobody hears it any more; the next attempt is `wait` ms away, if there is one. */
  onLost(cause: unknown, wait: number | undefined): void;
  /** A result could not be sent to its end. The next coordinator is told of it by the hello, and asks again. */
  onUnsent(task: string, cause: unknown): void;
}

/**
 * What a worker says to coordinators, one after another. What must be heard and was said while nobody did is said after the
 * next welcome; results are told by hello.
 */
export class Conversation {
  readonly #link: CoordinatorLink;
  readonly #listener: ConversationListener;
  /** What was said while nobody heard it. */
  #unheard: WorkerMessage[] = [];
  #welcome = false;
  /** Finished tasks that the hello of this stream told. */
  #told: ReadonlySet<string> = new Set();

  constructor(link: CoordinatorLink, listener: ConversationListener) {
    this.#link = link;
    this.#listener = listener;
  }

  /** Whether a coordinator has welcomed the worker and hears it. */
  get isHeard(): boolean {
    return this.#welcome;
  }

  /** Connects. */
  open(): void {
    this.#link.open({
      hello: () => {
        const hello = this.#listener.hello();
        this.#told = new Set(hello.finished.map(({ task }) => task));
        return hello;
      },
      onMessage: ({ message }) => {
        this.#hear(message);
      },
      onLost: (cause, wait) => {
        this.#welcome = false;
        this.#listener.onLost(cause, wait);
      },
    });
  }

  /** Says what is still to be said, and ends; waits at most `ms` for the coordinator's end. */
  close(ms: number): Promise<void> {
    return this.#link.close(ms);
  }

  credits(added: number): void {
    this.#say({ message: { $case: 'credits', value: { added } } });
  }

  progress(task: string, phase: TaskPhase): void {
    this.#say({ message: { $case: 'progress', value: { task, phase: phaseToMessage(phase) } } });
  }

  /** If nobody hears it, the next hello or welcome says it. */
  finished(finished: FinishedTask): void {
    this.#say({ message: { $case: 'finished', value: finishedToMessage(finished) } });
  }

  failed(task: string, error: unknown, replySubject: string): void {
    this.#say({ message: { $case: 'failed', value: { task, failure: failureToMessage(error), replySubject } } });
  }

  handedBack(task: string, reason: string, replySubject: string): void {
    this.#say({ message: { $case: 'handedBack', value: { task, reason, replySubject } } });
  }

  draining(): void {
    this.#say({ message: { $case: 'draining', value: {} } });
  }

  /** Sends the bytes of a result as fast as they are read. */
  sendResult(task: string, blobs: readonly Uint8Array[]): void {
    this.#sendChunks(task, blobs).catch((cause: unknown) => {
      this.#listener.onUnsent(task, cause);
    });
  }

  async #sendChunks(task: string, blobs: readonly Uint8Array[]): Promise<void> {
    for (const { blob, data } of chunksOf(blobs))
      await this.#link.send({ message: { $case: 'chunk', value: { task, blob, data: Buffer.from(data) } } });
  }

  #hear(message: CoordinatorMessage['message']): void {
    if (message?.$case === 'welcome') {
      this.#welcome = true;
      const unheard = this.#unheard;
      this.#unheard = [];
      for (const each of unheard) this.#say(each);
      // Between hello and welcome something may have ended.
      for (const each of this.#listener.hello().finished) if (!this.#told.has(each.task)) this.finished(each);
      this.#listener.onWelcome(message.value.coordinator);
      return;
    }
    if (!this.#welcome) throw violation('welcome', 'it has to be the first message');
    if (message === undefined) throw violation('message', 'it is of no kind that this release knows');
    this.#listener.onInstruction(message);
  }

  #say(message: WorkerMessage): void {
    if (this.#welcome && this.#link.say(message)) return;
    const kind = message.message?.$case;
    if (kind === 'failed' || kind === 'handedBack') this.#unheard.push(message);
  }
}
