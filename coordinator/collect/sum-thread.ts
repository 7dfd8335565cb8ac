/** A thread that adds up one cohort: parts come in, and after the last the sum's bytes go out. */
import { parentPort } from 'node:worker_threads';
import {
  addParts,
  checkComplete,
  type CohortPart,
  type CohortSum,
  emptyCohortSum,
} from '../../shared/statistics/cohort-sum.ts';
import { encodeCohortSum } from '../../shared/statistics/cohort-sum-file.ts';
import { failureOf, type StoredFailure } from '../store/stored-json.ts';
import type { SumJob } from './sum-job.ts';

export type SumRequest =
  | { readonly kind: 'begin'; readonly job: SumJob }
  | { readonly kind: 'part'; readonly part: CohortPart }
  | { readonly kind: 'end' };

export type SumReply =
  /** The last request is done. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'sum'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly failure: StoredFailure };

let job: SumJob | undefined;
let sum: CohortSum | undefined;

function take(request: SumRequest): SumReply {
  if (request.kind === 'begin') {
    job = request.job;
    sum = emptyCohortSum(job.cohort, job.layers);
    return { kind: 'taken' };
  }
  const [current, expected] = [sum, job?.expected ?? 0];
  if (current === undefined) return { kind: 'taken' };
  if (request.kind === 'part') {
    sum = addParts(current, [request.part]);
    return { kind: 'taken' };
  }
  // The thread waits for the next cohort, without this one's sums.
  sum = undefined;
  checkComplete(current, () => expected);
  return { kind: 'sum', bytes: encodeCohortSum(current) };
}

parentPort?.on('message', (request: SumRequest) => {
  let reply: SumReply;
  try {
    reply = take(request);
  } catch (error) {
    reply = { kind: 'failed', failure: failureOf(error) };
  }
  parentPort?.postMessage(reply, reply.kind === 'sum' ? [reply.bytes.buffer] : []);
});
