import type {
  Cause,
  HistoryEntry as HistoryMessage,
  ManifestResponse,
  ServingResponse,
} from '../../gen/fleet/v1/mask.ts';
import { whoLimit, whyLimit } from '../../shared/manifest/change-record.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { ChangeCause } from '../publish/manifest-change.ts';
import type { Published } from '../publish/publish-change.ts';
import type { HistoryEntry, ServingState } from './mask-service.ts';

export function publishedToMessage({ manifest, digest, changed }: Published): ManifestResponse {
  const { checkpoint, version, masks, union = '', audit } = manifest;
  return { checkpoint, version, masks: [...masks], union, digest, audit, changed };
}

export function historyToMessage({ record, published, tested }: HistoryEntry): HistoryMessage {
  const { version, when, who, why, action, target, forced, masks } = record;
  return {
    version,
    when,
    who,
    why,
    action,
    target,
    forced,
    published,
    masks: masks.map(({ concept, mask, verification = '' }) => ({
      concept,
      mask,
      verification,
      images: tested.get(verification),
    })),
  };
}

export function servingToMessage({ published, processes }: ServingState): ServingResponse {
  return {
    version: published?.version,
    digest: published?.digest,
    processes: processes.map(({ process, instance, version, digest, seconds, refused, missing, seenAt }) => ({
      process,
      instance,
      version,
      digest,
      seconds,
      refusedReason: refused?.reason,
      refusedWhy: refused?.why,
      missing,
      // NATS tells fractions of a millisecond.
      seenAt: seenAt === undefined ? undefined : Math.floor(seenAt),
    })),
  };
}

/** @throws LetheError `usage` */
export function causeFromMessage(cause: Cause | undefined): ChangeCause {
  const { who, why, force } = cause ?? { who: '', why: '', force: false };
  if (who === '' || who.length > whoLimit)
    throw unusable('who', `it has ${who.length} characters, not 1 to ${whoLimit}`);
  if (why.length > whyLimit) throw unusable('why', `it has ${why.length} characters; at most ${whyLimit} are kept`);
  if (force && why.trim() === '') throw unusable('why', 'a change that is forced needs a reason');
  if (/\p{Surrogate}/u.test(`${who} ${why}`)) throw unusable('who and why', 'the text holds half a surrogate pair');
  return { who, why, force };
}

export function unusable(where: string, why: string): LetheError {
  return new LetheError('usage', {
    what: 'cannot make the change',
    where,
    why,
    next: 'correct it and ask again',
  });
}
