import type { Writable } from 'node:stream';
import { LetheError } from '../error/lethe-error.ts';

/** The writing half of a gRPC stream, on either side. */
export type MessageStream<T> = Pick<Writable, 'once' | 'off' | 'destroyed'> & { write(message: T): boolean };

/**
 * Writes a message and waits until the stream takes more: what is sent in pieces is sent no faster than the peer reads.
 *
 * @throws LetheError `fleet-lost` if the stream ends instead.
 */
export async function writeDrained<T>(stream: MessageStream<T>, message: T): Promise<void> {
  if (!stream.destroyed && stream.write(message)) return;
  await new Promise<void>((resolve, reject) => {
    const lost = (cause?: unknown): void => {
      release();
      reject(streamLost(cause));
    };
    const drained = (): void => {
      release();
      resolve();
    };
    const release = (): void => {
      stream.off('drain', drained).off('close', lost).off('error', lost).off('cancelled', lost).off('end', lost);
    };
    if (stream.destroyed) {
      reject(streamLost(undefined));
      return;
    }
    stream.once('drain', drained).once('close', lost).once('error', lost).once('cancelled', lost).once('end', lost);
  });
}

/** The stream to a peer is over. */
export function streamLost(cause: unknown): LetheError {
  return new LetheError('fleet-lost', {
    what: 'the stream between coordinator and worker ended',
    why: cause instanceof Error ? cause.message : 'the other side is gone',
    next: 'nothing: the worker connects again, and keeps what it has finished',
    cause,
  });
}
