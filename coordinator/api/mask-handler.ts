import type { ServerWritableStream } from '@grpc/grpc-js';
import type { FetchMaskRequest, MaskChunk, MaskServiceServer } from '../../gen/fleet/v1/mask.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { chunkBytes } from '../../shared/fleet/protocol.ts';
import { writeDrained } from '../../shared/fleet/write-drained.ts';
import type { ActiveMask, Manifest } from '../publish/manifest.ts';
import { unary } from './campaign-handler.ts';
import { grpcStatusOf } from './grpc-status.ts';

/** What the coordinator does with masks: the domain side of proto/fleet/v1/mask.proto. */
export interface MaskSource {
  /** The stored bytes of a mask. @throws LetheError `blob-missing` */
  read(hash: string): Promise<Uint8Array>;
  /** Makes masks active. @throws LetheError `blob-missing`, `mask-mismatch` */
  apply(checkpoint: string, masks: readonly ActiveMask[]): Promise<Manifest>;
}

/** MaskService: translation alone. */
export function maskHandlers(masks: MaskSource): MaskServiceServer {
  return {
    fetch: (call) => {
      void fetchMask(masks, call);
    },
    apply: unary(async ({ checkpoint, masks: given }) => {
      const other = given.find(({ mask }) => !isHash(mask));
      if (other !== undefined) throw missing(other.mask);
      const manifest = await masks.apply(checkpoint, given);
      return { ...manifest, masks: [...manifest.masks], union: manifest.union ?? '' };
    }),
  };
}

async function fetchMask(masks: MaskSource, call: ServerWritableStream<FetchMaskRequest, MaskChunk>): Promise<void> {
  const { hash } = call.request;
  try {
    if (!isHash(hash)) throw missing(hash);
    const bytes = await masks.read(hash);
    for (let at = 0; at < bytes.length && !call.cancelled; at += chunkBytes)
      await writeDrained(call, { data: Buffer.from(bytes.subarray(at, at + chunkBytes)) });
    call.end();
  } catch (error) {
    const isMissing = error instanceof LetheError && error.code === 'blob-missing';
    if (!call.cancelled) call.emit('error', grpcStatusOf(isMissing ? missing(hash) : error));
  }
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function missing(hash: string): LetheError {
  return new LetheError('mask-missing', {
    what: 'cannot read the mask',
    where: JSON.stringify(hash),
    why: 'no mask has this hash',
    next: '`lethe masks` lists those there are',
  });
}
