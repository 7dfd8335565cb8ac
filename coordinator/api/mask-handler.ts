import type { ServerWritableStream } from '@grpc/grpc-js';
import type { FetchMaskRequest, MaskChunk, MaskServiceServer } from '../../gen/fleet/v1/mask.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { chunkBytes } from '../../shared/fleet/protocol.ts';
import { writeDrained } from '../../shared/fleet/write-drained.ts';
import { grpcStatusOf } from './grpc-status.ts';

/** Reads the stored bytes of a mask. @throws LetheError `blob-missing` */
export type ReadMask = (hash: string) => Promise<Uint8Array>;

/** MaskService: translation alone. */
export function maskHandlers(read: ReadMask): MaskServiceServer {
  return {
    fetch: (call) => {
      void fetchMask(read, call);
    },
  };
}

async function fetchMask(read: ReadMask, call: ServerWritableStream<FetchMaskRequest, MaskChunk>): Promise<void> {
  try {
    const { hash } = call.request;
    if (!/^[0-9a-f]{64}$/.test(hash)) throw missing(hash);
    const bytes = await read(hash);
    for (let at = 0; at < bytes.length && !call.cancelled; at += chunkBytes)
      await writeDrained(call, { data: Buffer.from(bytes.subarray(at, at + chunkBytes)) });
    call.end();
  } catch (error) {
    const isMissing = error instanceof LetheError && error.code === 'blob-missing';
    if (!call.cancelled) call.emit('error', grpcStatusOf(isMissing ? missing(call.request.hash) : error));
  }
}

function missing(hash: string): LetheError {
  return new LetheError('mask-missing', {
    what: 'cannot read the mask',
    where: JSON.stringify(hash),
    why: 'no mask has this hash',
    next: '`lethe masks` lists those there are',
  });
}
