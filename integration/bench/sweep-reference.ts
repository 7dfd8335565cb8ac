import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Concept } from '../../coordinator/plan/campaign.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { LayerNorms } from '../../shared/method/conceptprune/norms.ts';
import type { BitMatrix } from '../../shared/tensor/bit-matrix.ts';

/** One concept by the reference procedure. */
export interface ReferenceRun {
  /** From prompts to masks, models loaded on the way included. */
  readonly seconds: number;
  /** Of them, the runtime loading models: all in the first concept, none later. */
  readonly loadSeconds: number;
  readonly unetCalls: number;
  readonly images: number;
  readonly layers: readonly ReferenceLayer[];
}

/** What was computed for a layer. */
export interface ReferenceLayer {
  readonly name: string;
  readonly norms: LayerNorms;
  readonly union: BitMatrix;
}

/** What the process sends back. */
export type ReferenceReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'run'; readonly run: ReferenceRun }
  | { readonly kind: 'failed'; readonly why: string };

/** The reference procedure in a process of its own, with one thread, which waits while others are measured. */
export class ReferenceProcess {
  readonly #child = fork(fileURLToPath(new URL('./sweep-reference-process.js', import.meta.url)), {
    serialization: 'advanced',
  });

  /** Starts it, up to where a worker is before its first lease: the checkpoint is found, no model is loaded. */
  static async start(): Promise<ReferenceProcess> {
    const started = new ReferenceProcess();
    await started.#reply();
    return started;
  }

  async run(concept: Concept): Promise<ReferenceRun> {
    this.#child.send(concept);
    const reply = await this.#reply();
    if (reply.kind === 'run') return reply.run;
    throw failed(reply.kind === 'failed' ? reply.why : 'it answered nothing');
  }

  stop(): void {
    this.#child.kill();
  }

  async #reply(): Promise<ReferenceReply> {
    const ended = new AbortController();
    const exit = once(this.#child, 'exit', { signal: ended.signal }).then(() => {
      throw failed('the process ended');
    });
    try {
      const [reply] = (await Promise.race([once(this.#child, 'message'), exit])) as [ReferenceReply];
      return reply;
    } finally {
      exit.catch(() => undefined);
      ended.abort();
    }
  }
}

function failed(why: string): LetheError {
  return new LetheError('session-failed', {
    what: 'cannot run the reference procedure',
    why,
    next: 'run the bench alone on this machine; if it repeats, look at what it printed before',
  });
}
