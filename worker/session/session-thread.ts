import { Worker } from 'node:worker_threads';
import { commonDirectory } from '../../shared/checkpoint/common-directory.ts';
import { type Failure, LetheError } from '../../shared/error/lethe-error.ts';
import { encodeModel } from '../../shared/model/graph/encode.ts';
import { type Graph, graphOf } from '../../shared/model/graph/graph.ts';
import { input } from '../../shared/model/graph/value.ts';
import { add } from '../../shared/model/ops/arithmetic.ts';
import type { FloatTensor } from '../../shared/tensor/float-tensor.ts';
import type { HostTensor, OutputInfo, Reply, Request, SessionSettings } from './protocol.ts';
import { disableTelemetry } from './no-telemetry.ts';
import { type Provider, providerAdvice, providers, type ProviderSupport } from './provider.ts';
import { runtimeUnusable } from './runtime-unusable.ts';

/** A model that is loaded in a session thread. */
export interface Session {
  /**
   * Runs the model once. Feeds and outputs are by the names of the graph's inputs and outputs; all outputs are fp32.
   *
   * @param set which of the sets of its switched weights counts as 0; needed where it has such weights
   * @throws LetheError `session-failed` with the runtime's reason, `session-lost` if its thread ended.
   */
  run(feeds: Readonly<Record<string, HostTensor>>, set?: number): Promise<ReadonlyMap<string, FloatTensor>>;
  /** Frees the model's memory once the runs under way are done. Later runs are refused; disposing again does nothing. */
  dispose(): Promise<void>;
}

const startAgain = 'start again; if it was killed, give it more memory or a smaller batch';

type Unsent<T> = T extends { readonly id: number } ? Omit<T, 'id'> : never;

/** A model that was opened from a file, with what it takes and gives. */
export interface FileSession extends Pick<Session, 'dispose'> {
  readonly inputs: readonly string[];
  readonly outputs: readonly OutputInfo[];
  /**
   * As `Session.run`, for some outputs alone: the others may be of types that nothing here reads.
   *
   * @param outputs names of float32 or float16 ones, given as fp32
   */
  run(
    feeds: Readonly<Record<string, HostTensor>>,
    outputs: readonly string[],
  ): Promise<ReadonlyMap<string, FloatTensor>>;
}

/** What both kinds of session are made of. */
interface OpenedSession extends Session {
  run(
    feeds: Readonly<Record<string, HostTensor>>,
    set?: number,
    outputs?: readonly string[],
  ): Promise<ReadonlyMap<string, FloatTensor>>;
}

/** A thread that runs models, so that the one that calls it never blocks. Requests are answered in order. */
export class SessionThread {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (error: LetheError) => void }>();
  /** One element: 1 once nothing that is still queued in the thread matters. */
  readonly #closing = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #exited: Promise<unknown>;
  #sent = 0;
  #ended: LetheError | undefined;

  /** @throws LetheError `usage` in a thread of a program that would send telemetry. */
  constructor() {
    disableTelemetry();
    this.#thread = new Worker(new URL('./thread.js', import.meta.url), {
      name: 'lethe-session',
      workerData: this.#closing,
    });
    this.#exited = new Promise((resolve) => {
      this.#thread.once('exit', resolve);
    });
    this.#thread.on('message', (reply: Reply) => {
      this.#waiting.get(reply.id)?.resolve(reply);
      this.#waiting.delete(reply.id);
      this.#hold();
    });
    this.#thread.on('error', (cause) => {
      this.#end(runtimeUnusable(cause) ?? lost({ why: `it failed: ${cause.message}`, next: startAgain, cause }));
    });
    this.#thread.on('exit', (code) => {
      this.#end(lost({ why: `it ended with code ${code}`, next: startAgain }));
    });
    this.#hold();
  }

  /** The providers this build of onnxruntime-node knows. @throws LetheError `runtime-unusable` where it cannot be loaded. */
  async support(): Promise<readonly ProviderSupport[]> {
    const reply = await this.#ask({ kind: 'support' });
    return reply.kind === 'supported' ? reply.providers : [];
  }

  /** Loads the smallest model with a provider: undefined if that works, else the runtime's reason. */
  async tryProvider(provider: Provider): Promise<string | undefined> {
    const model = encodeModel(probe, '/');
    const settings = { provider, threads: 1 };
    const opened = await this.#ask({ kind: 'open', model, weightsDirectory: '', pruned: [], switched: [], settings });
    if (opened.kind !== 'opened') return reasonOf(opened);
    await this.#ask({ kind: 'dispose', session: opened.session });
    return undefined;
  }

  /**
   * Loads a graph. Its weights are mapped from the checkpoint's files by the runtime; what is pruned of them is read anew.
   *
   * @throws LetheError `provider-unavailable` if the provider is not there, `session-failed` with the runtime's reason.
   */
  async open(graph: Graph, settings: SessionSettings): Promise<Session> {
    const known = await this.support();
    if (!known.some(({ provider }) => provider === settings.provider))
      throw unavailable(settings, known, 'it is not part of this build of onnxruntime-node');

    const weightsDirectory = commonDirectory(graph.parameters.map((parameter) => parameter.location.file));
    const model = encodeModel(graph, weightsDirectory);
    const pruned = graph.parameters.filter((parameter) => parameter.pruned !== undefined);
    const switched = graph.inputs.filter(({ weight }) => weight !== undefined);
    const opened = await this.#ask({ kind: 'open', model, weightsDirectory, pruned, switched, settings });
    if (opened.kind !== 'opened') {
      // The runtime has no error codes: whether the provider or the model is at fault is asked of the smallest model.
      const problem = await this.tryProvider(settings.provider);
      if (problem !== undefined) throw unavailable(settings, known, problem);
      throw failed(`cannot load ${graph.name}`, reasonOf(opened));
    }
    return this.#session(graph.name, opened.session);
  }

  /**
   * Loads an ONNX file as it is; weights outside it are looked for beside it.
   *
   * @throws LetheError `session-failed` with the runtime's reason.
   */
  async openFile(path: string, settings: SessionSettings): Promise<FileSession> {
    const opened = await this.#ask({ kind: 'open-file', path, settings });
    if (opened.kind !== 'opened') throw failed(`cannot load ${path}`, reasonOf(opened));
    const { session, inputs, outputs } = opened;
    const own = this.#session(path, session);
    return { ...own, inputs, outputs, run: (feeds, wanted) => own.run(feeds, undefined, wanted) };
  }

  /**
   * Ends the thread and frees all its sessions. Requests under way and later ones fail with `session-lost` at once; the
   * promise is kept when the model call under way is over, for ending a thread inside onnxruntime aborts the process.
   */
  async close(): Promise<void> {
    this.#end(lost({ why: 'it was closed', next: 'start a new session thread' }));
    Atomics.store(this.#closing, 0, 1);
    this.#hold();
    this.#thread.postMessage({ kind: 'close' } satisfies Request);
    await this.#exited;
  }

  #session(name: string, session: number): OpenedSession {
    let disposed = false;
    return {
      run: async (feeds, set, outputs) => {
        if (disposed) throw failed(`cannot run ${name}`, 'the session has been disposed of');
        const reply = await this.#ask({ kind: 'run', session, feeds, set, outputs });
        if (reply.kind === 'ran') return new Map(Object.entries(reply.outputs));
        throw failed(`cannot run ${name}`, reasonOf(reply));
      },
      dispose: async () => {
        // A thread that ended has freed everything.
        if (disposed || this.#ended !== undefined) return;
        disposed = true;
        await this.#ask({ kind: 'dispose', session });
      },
    };
  }

  #ask(request: Unsent<Request>): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      this.#sent += 1;
      this.#waiting.set(this.#sent, { resolve, reject });
      this.#hold();
      this.#thread.postMessage({ ...request, id: this.#sent });
    });
  }

  /** Keeps the process alive while an answer or the end is awaited, and no longer. */
  #hold(): void {
    if (this.#waiting.size > 0 || this.#closing[0] === 1) this.#thread.ref();
    else this.#thread.unref();
  }

  #end(error: LetheError): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

function lost(failure: Omit<Failure, 'what'>): LetheError {
  return new LetheError('session-lost', { what: 'the session thread is gone', ...failure });
}

/** x + x: what any provider can load. */
const probe = ((): Graph => {
  const x = input('x', { element: 'float', shape: [1] });
  return graphOf('probe', [add('probe', x, x)]);
})();

function reasonOf(reply: Reply): string {
  return reply.kind === 'failed' ? reply.failure : `unexpected reply: ${reply.kind}`;
}

function unavailable(settings: SessionSettings, known: readonly ProviderSupport[], why: string): LetheError {
  const names = known.map(({ provider, bundled }) => (bundled ? provider : `${provider} (libraries not installed)`));
  const { provider } = settings;
  return new LetheError('provider-unavailable', {
    what: `cannot use the ${provider} provider`,
    why: `${why.trim()}; this build knows ${names.join(', ')}`,
    next: providers.includes(provider) ? providerAdvice[provider] : `name one of ${providers.join(', ')}`,
  });
}

function failed(what: string, why: string): LetheError {
  return new LetheError('session-failed', {
    what,
    where: 'onnxruntime',
    why: why.trim(),
    next: "run `lethe doctor`; if it finds nothing, report this with the checkpoint's config.json",
  });
}
