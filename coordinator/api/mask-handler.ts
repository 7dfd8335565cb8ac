import type { MaskChunk, MaskServiceServer } from '../../gen/fleet/v1/mask.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { chunkBytes } from '../../shared/fleet/protocol.ts';
import { conceptKey } from '../../shared/mask/same-concept.ts';
import { trustListText } from '../../shared/manifest/trust-list.ts';
import { unary } from './campaign-handler.ts';
import { causeFromMessage, historyToMessage, publishedToMessage, servingToMessage, unusable } from './mask-message.ts';
import type { MaskService } from './mask-service.ts';
import { streaming } from './streaming.ts';

/** Most newest versions that can be asked for at once; all of them are streamed one by one. */
const historyLimit = 10_000;

/** Most masks whose verifications can be asked for at once: their hashes fill 640 kB of a message. */
const verificationsLimit = 10_000;

/** MaskService: translation alone. */
export function maskHandlers(masks: MaskService): MaskServiceServer {
  return {
    fetch: streaming(({ hash }) => fetchMask(masks, hash)),
    apply: unary(async ({ checkpoint, masks: given, restore, cause, dryRun }) => {
      const other = given.find(({ mask }) => !isHash(mask));
      if (other !== undefined) throw missing(other.mask);
      const concepts = [...given.map(({ concept }) => concept), ...restore];
      for (const concept of concepts) requireConcept(concept);
      if (concepts.length === 0) throw unusable('masks', 'it names no mask and no concept');
      if (new Set(concepts.map(conceptKey)).size < concepts.length) throw unusable('masks', 'it names a concept twice');
      const apply = given.map(({ concept, mask }) => ({ concept, mask }));
      return publishedToMessage(await masks.apply(named(checkpoint), apply, restore, causeFromMessage(cause), dryRun));
    }),
    rollback: unary(async ({ checkpoint, version, cause, dryRun }) => {
      return publishedToMessage(await masks.rollback(named(checkpoint), version, causeFromMessage(cause), dryRun));
    }),
    sign: streaming(async function* ({ key, cause }) {
      for await (const each of masks.sign(key, { ...causeFromMessage(cause), force: false }))
        yield publishedToMessage(each);
    }),
    active: streaming(async function* () {
      for await (const { checkpoint, published } of masks.active())
        yield published === undefined
          ? { checkpoint, version: 0, masks: [], union: '', digest: '', audit: '', changed: false }
          : publishedToMessage(published);
    }),
    history: streaming(async function* ({ checkpoint, limit }) {
      for await (const each of masks.history(named(checkpoint), Math.min(limit, historyLimit)))
        yield historyToMessage(each);
    }),
    audit: streaming(async function* ({ checkpoint }) {
      const { manifest, trust } = await masks.auditContext(named(checkpoint));
      const context = { manifest: manifest && Buffer.from(manifest), trustList: trustListText(trust) };
      yield { entry: { $case: 'context' as const, value: context } };
      for await (const { sequence, bytes, storedAt } of masks.audit(checkpoint))
        yield { entry: { $case: 'record' as const, value: { sequence, data: Buffer.from(bytes), storedAt } } };
    }),
    serving: unary(async ({ checkpoint }) => servingToMessage(await masks.serving(named(checkpoint)))),
    verifications: streaming(async function* ({ masks: hashes }) {
      if (hashes.length > verificationsLimit)
        throw unusable('masks', `it names ${hashes.length}; at most ${verificationsLimit} are looked up at once`);
      const other = hashes.find((each) => !isHash(each));
      if (other !== undefined) throw missing(other);
      for await (const each of masks.verifications(hashes)) yield each;
    }),
    recordVerification: unary(async ({ mask, checkpoint, passed, report, images }) => {
      if (!isHash(mask)) throw missing(mask);
      return { report: await masks.recordVerification(mask, named(checkpoint), passed, report, images) };
    }),
  };
}

async function* fetchMask(masks: MaskService, hash: string): AsyncGenerator<MaskChunk, void> {
  if (!isHash(hash)) throw missing(hash);
  const bytes = await masks.read(hash).catch((error: unknown) => {
    throw error instanceof LetheError && error.code === 'blob-missing' ? missing(hash) : error;
  });
  for (let at = 0; at < bytes.length; at += chunkBytes)
    yield { data: Buffer.from(bytes.subarray(at, at + chunkBytes)) };
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Id of a checkpoint. */
function named(checkpoint: string): string {
  if (checkpoint !== '' && checkpoint.length <= 200) return checkpoint;
  throw unusable('checkpoint', `its id has ${checkpoint.length} characters`);
}

function requireConcept(concept: string): void {
  if (concept === '' || concept.length > 1000 || /\p{Surrogate}/u.test(concept))
    throw unusable('concept', `${JSON.stringify(concept.slice(0, 60))} is no name of a concept`);
}

function missing(hash: string): LetheError {
  return new LetheError('mask-missing', {
    what: 'cannot read the mask',
    where: JSON.stringify(hash),
    why: 'no mask has this hash',
    next: '`lethe masks` lists those there are',
  });
}
