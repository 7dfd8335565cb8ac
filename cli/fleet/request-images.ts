import { setTimeout as after } from 'node:timers/promises';
import type { ImageGroup, ImageSampling, ImageSource } from '../../gen/fleet/v1/image.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { canonicalJson } from '../../shared/unit/canonical-json.ts';
import { backoff } from '../../worker/run/backoff.ts';
import { type Notice, WaitingNotice } from '../output/waiting-notice.ts';
import type { FleetClient } from './fleet-client.ts';
import { errorOfFailure } from './remote-error.ts';

/** One image that is asked of a fleet. */
export interface ImageAsk {
  readonly prompt: string;
  /** Decimal, 0 to 2^64 - 1. */
  readonly seed: string;
  /** Hashes of the masks that prune together; none for the checkpoint as it is. */
  readonly masks: readonly string[];
  readonly sampling: ImageSampling;
}

/** How far the images are. */
export interface ImageProgress {
  /** Distinct images that were asked for, and those that were stored before. */
  readonly images: number;
  readonly stored: number;
  /** UNet calls times trajectories that the rest takes. */
  readonly unetCalls: number;
  /** Units that make the rest, and those that have ended. */
  readonly units: { readonly total: number; readonly ended: number };
}

/** Who waits for images. */
export interface ImageWatcher {
  onProgress(progress: ImageProgress): void;
  /** That a job waits, and why; or that it goes on. */
  onNotice(job: string, notice: Notice): void;
  /** Stops waiting; what is being made goes on being made. */
  readonly signal: AbortSignal;
}

/** Images, and bytes that name them, in one message: below its limit of 1 MiB. */
const together = { images: 500, bytes: 800_000 };
/** Bytes of a seed, a mask's hash and sampling settings in a message, with their tags, at most. */
const [seedBytes, hashBytes, samplingBytes] = [40, 70, 100];
/** Times in a row that images are asked for again, and none comes. */
const mostInVain = 3;

/**
 * Images of a fleet as PNG files, in the order of the asks; each distinct one is made once, and not at all where it is
 * stored. They come when all are made, so that workers are never waited for in between.
 *
 * @param source the checkpoint; a numerics class only where one is meant
 * @param title of the job, for people
 * @param batch images in a unit, at most
 * @throws LetheError as the coordinator refuses them; `campaign-failed` if some could not be made; `campaign-cancelled`;
 *   `image-missing` for one that is gone however often it is made; `protocol-violated` for an answer that
 *   ends early; `unit-stopped` at the signal.
 */
export async function* requestImages(
  client: FleetClient,
  source: ImageSource,
  title: string,
  batch: number,
  asks: readonly ImageAsk[],
  watcher: ImageWatcher,
): AsyncGenerator<Uint8Array, void, undefined> {
  let given = 0;
  for (let inVain = 0; given < asks.length;) {
    const rest = asks.slice(given);
    const before = given;
    const answer = await client.makeImages({ source, title, batch }, partsOf(rest).flatMap(groupsOf));
    await untilMade(client, answer, watcher);
    const made = { ...source, numerics: answer.numerics };
    try {
      for (const part of partsOf(rest)) {
        for await (const image of client.images({ source: made, groups: groupsOf(part) })) {
          given += 1;
          yield image;
        }
      }
    } catch (error) {
      if (!(error instanceof LetheError && error.code === 'image-missing')) throw error;
      // Its blob was gone: it is put up to be made again. However many are lost, each has its turn.
      inVain = given > before ? 0 : inVain + 1;
      if (inVain > mostInVain) throw error;
    }
  }
}

async function untilMade(
  client: FleetClient,
  { jobs, images, stored, unetCalls }: Awaited<ReturnType<FleetClient['makeImages']>>,
  watcher: ImageWatcher,
): Promise<void> {
  const { signal } = watcher;
  const counts = new Map(jobs.map((job) => [job, { total: 0, ended: 0 }]));
  const tell = (): void => {
    const units = [...counts.values()].reduce(
      (sum, { total, ended }) => ({ total: sum.total + total, ended: sum.ended + ended }),
      { total: 0, ended: 0 },
    );
    watcher.onProgress({ images, stored, unetCalls, units });
  };
  tell();
  for (const job of jobs)
    for await (const { waiting, leased, done, failed } of unitsOf(client, job, watcher)) {
      counts.set(job, { total: waiting + leased + done + failed, ended: done + failed });
      tell();
    }
  if (!signal.aborted) return;
  throw new LetheError('unit-stopped', {
    what: 'no longer waiting for images',
    where: jobs.join(', '),
    why: 'it was asked to stop',
    next: 'ask again: what is made by then is kept',
  });
}

/** The counts of a job's units until it is over, through restarts of its coordinator. */
async function* unitsOf(client: FleetClient, job: string, watcher: ImageWatcher) {
  const { signal } = watcher;
  const waiting = new WaitingNotice();
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      for await (const state of client.watch(job, signal)) {
        const { units, ended, failure } = state;
        attempt = 0;
        const notice = waiting.take(state, performance.now());
        if (notice !== undefined) watcher.onNotice(job, notice);
        yield units ?? { waiting: 0, leased: 0, done: 0, failed: 0 };
        if (failure !== undefined) throw errorOfFailure(failure);
        if (ended) return;
      }
    } catch (error) {
      const isGone = error instanceof LetheError && ['fleet-unreachable', 'fleet-lost'].includes(error.code);
      if (!isGone || attempt >= mostAttempts) throw error;
    }
    await after(backoff(attempt, Math.random), undefined, { signal }).catch(() => undefined);
  }
}

/** Attempts to reach a coordinator that does not answer: about two minutes. */
const mostAttempts = 12;

/** Asks in their order, in parts that fit into a message each. */
function partsOf(asks: readonly ImageAsk[]): readonly (readonly ImageAsk[])[] {
  const parts: ImageAsk[][] = [];
  let bytes = 0;
  for (const ask of asks) {
    const last = parts.at(-1);
    const own = bytesOf(ask, last?.at(-1));
    if (last === undefined || last.length >= together.images || bytes + own > together.bytes) {
      parts.push([ask]);
      bytes = bytesOf(ask, undefined);
    } else {
      last.push(ask);
      bytes += own;
    }
  }
  return parts;
}

/** What an ask adds to a message, at most: masks and sampling too, unless they are those of the ask before. */
function bytesOf({ prompt, masks, sampling }: ImageAsk, before: ImageAsk | undefined): number {
  const isAlike = before?.masks === masks && before.sampling === sampling;
  return Buffer.byteLength(prompt) + seedBytes + (isAlike ? 0 : hashBytes * masks.length + samplingBytes);
}

/** Asks in their order; neighbours that are sampled and pruned alike share a group. */
function groupsOf(asks: readonly ImageAsk[]): ImageGroup[] {
  const groups: { readonly name: string; readonly group: ImageGroup }[] = [];
  for (const { prompt, seed, masks, sampling } of asks) {
    const name = canonicalJson({ masks, sampling });
    const last = groups.at(-1);
    if (last?.name === name) last.group.trajectories.push({ prompt, seed });
    else groups.push({ name, group: { sampling, masks: [...masks], trajectories: [{ prompt, seed }] } });
  }
  return groups.map(({ group }) => group);
}
