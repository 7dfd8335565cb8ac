/** Entry point of a scoring thread: scores the jobs it is sent, in order. The state of a pool is all in `score-pool.ts`. */
import { parentPort } from 'node:worker_threads';
import { LetheError, type ErrorCode, type Failure } from '../../error/lethe-error.ts';
import { score, type ScoreJob } from './score-job.ts';
import type { LayerSelection } from './score-layer.ts';

/** What a thread answers a job with. */
export type ScoreReply =
  | { readonly kind: 'scored'; readonly selection: LayerSelection }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly failure: Failure };

async function answer(job: ScoreJob): Promise<ScoreReply> {
  try {
    return { kind: 'scored', selection: await score(job) };
  } catch (error) {
    const known = error instanceof LetheError;
    // A cause may be anything, and not everything crosses threads.
    const { what, where, why, next } = known ? error : unexpected(error);
    return {
      kind: 'failed',
      code: known ? error.code : 'scoring-failed',
      failure: { what, ...(where === undefined ? {} : { where }), why, next },
    };
  }
}

function unexpected(error: unknown): LetheError {
  const why = error instanceof Error ? error.message : String(error);
  return new LetheError('scoring-failed', { what: 'cannot score a layer', why, next: 'report it with the log' });
}

parentPort?.on('message', (job: ScoreJob) => {
  void answer(job).then((reply) => {
    const selected = reply.kind === 'scored' ? [reply.selection.union, ...reply.selection.steps] : [];
    parentPort?.postMessage(
      reply,
      selected.map(({ bytes }) => bytes.buffer as ArrayBuffer),
    );
  });
});
