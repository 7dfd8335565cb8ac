import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import type { Blobs } from '../../shared/bus/blobs.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { partialFromBytes } from '../../shared/fleet/partial-bytes.ts';
import type { CohortPart } from '../../shared/statistics/cohort-sum.ts';
import { errorOf } from '../store/stored-json.ts';
import type { ResultVerdict } from '../store/verdict.ts';
import type { SumJob } from './sum-job.ts';
import type { SumReply, SumRequest } from './sum-thread.ts';
import type { SumThreads } from './sum-threads.ts';

/** What came of adding a cohort up. */
export type Summing =
  | { readonly kind: 'sum'; readonly bytes: Uint8Array }
  /** The blob of a result is gone or not what it was: its unit has to run again. */
  | { readonly kind: 'damaged'; readonly verdict: ResultVerdict; readonly error: LetheError };

/**
 * The sum of a cohort over one site as bytes: the same for the same results, in whatever order, on whatever machine. The
 * adding is done on a thread of its own; one part is fetched while another is added.
 *
 * @param resultOf the result of a unit for the job's site
 * @throws LetheError `partial-invalid` with the worker's name, `statistics-invalid`, and what NATS throws.
 */
export async function sumCohort(
  job: SumJob,
  resultOf: (unit: string) => ResultVerdict,
  blobs: Blobs,
  threads: SumThreads,
): Promise<Summing> {
  const thread = threads.take();
  try {
    const summing = await sumOn(thread, job, resultOf, blobs);
    await threads.giveBack(thread);
    return summing;
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}

async function sumOn(
  thread: Worker,
  job: SumJob,
  resultOf: (unit: string) => ResultVerdict,
  blobs: Blobs,
): Promise<Summing> {
  await ask(thread, { kind: 'begin', job });
  let adding: Promise<unknown> = Promise.resolve();
  for (const { unit, from, counts } of job.parts) {
    const verdict = resultOf(unit);
    const read = await readPart(verdict, from, counts, blobs);
    await adding;
    if (read instanceof LetheError) return { kind: 'damaged', verdict, error: read };
    adding = ask(thread, { kind: 'part', part: read }, [read.partial.values.buffer as ArrayBuffer]);
    // Awaited in the next round; until then a failure must not count as unhandled.
    adding.catch(() => undefined);
  }
  await adding;
  const reply = await ask(thread, { kind: 'end' });
  return { kind: 'sum', bytes: reply.kind === 'sum' ? reply.bytes : new Uint8Array() };
}

async function readPart(
  verdict: ResultVerdict,
  from: number,
  counts: readonly number[],
  blobs: Blobs,
): Promise<CohortPart | LetheError> {
  const { unit, worker, layers, steps, items, partial, timings, calls, timesteps } = verdict;
  try {
    const bytes = await blobs.get(partial.name, partial.digest);
    const finished = {
      task: unit,
      unit,
      sites: [],
      replySubject: '',
      layers,
      steps,
      items,
      blobs: [],
      timings,
      calls,
      timesteps,
    };
    return { partial: partialFromBytes(finished, bytes), worker, from, counts };
  } catch (error) {
    const code = error instanceof LetheError ? error.code : '';
    if (error instanceof LetheError && (code === 'blob-missing' || code === 'blob-damaged')) return error;
    throw error;
  }
}

async function ask(thread: Worker, request: SumRequest, transfer: ArrayBuffer[] = []): Promise<SumReply> {
  thread.postMessage(request, transfer);
  const [reply] = (await once(thread, 'message')) as [SumReply];
  if (reply.kind === 'failed') throw errorOf(reply.failure);
  return reply;
}
