import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { AuditChain, type ChainLink } from '../../shared/manifest/audit-chain.ts';
import { newKey, trustIn } from '../../shared/manifest/manifests.spec-support.ts';
import type { SigningKey } from '../../shared/manifest/signing-key.ts';
import type { TrustList } from '../../shared/manifest/trust-list.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import type { Store } from '../store/store.ts';
import type { Keyring } from './keyring.ts';
import { publishChange, type Published } from './publish-change.ts';
import { publishMask } from './publish-mask.ts';
import type { Publication } from './publish-record.ts';

/** Prunes one weight of a layer of 1 x 8. */
export const maskAt = (checkpoint: string, concept: string, bit: number): Mask => ({
  checkpoint,
  parts: [{ concept, method: 'conceptprune', settings: {} }],
  timesteps: [],
  layers: [{ site: 'ffn2', name: 'a', union: { rows: 1, columns: 8, bytes: Uint8Array.of(1 << bit) }, steps: [] }],
});
export const concepts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
export const forced = { who: 'ada@example', why: 'a reason', force: true };
export const plain = { ...forced, force: false };
export const key = newKey();
export const trust = trustIn(key);

export const keyringOf = (signing: SigningKey, list: TrustList = trust): Keyring => ({
  signing: () => Promise.resolve(signing),
  trust: () => Promise.resolve(list),
});
export const publicationOf = (store: Store, change: Partial<Publication> = {}): Publication => ({
  store,
  keyring: keyringOf(key),
  reportedVersion: () => Promise.resolve(0),
  now: () => new Date(),
  log: pino({ level: 'silent' }),
  ...change,
});
export const newCheckpoint = (): string => `sha256:${randomBytes(32).toString('hex')}`;

/** Checks the whole log, and how the manifest stands to it. */
export const chainOf = async (at: Store, checkpoint: string, list: TrustList = trust) => {
  const manifest = (await at.manifests.read(checkpoint))?.bytes;
  const chain = new AuditChain(checkpoint, list);
  const links: ChainLink[] = [];
  for await (const { sequence, bytes, storedAt } of at.audit.list(checkpoint))
    links.push(chain.take(sequence, bytes, storedAt));
  return { faults: links.flatMap(({ faults }) => faults), links, standing: chain.standing(manifest) };
};
export const apply = async (publication: Publication, checkpoint: string, concept: string, cause = forced) => {
  const mask = await publishMask(
    (publication.store as Store).masks,
    maskAt(checkpoint, concept, concepts.indexOf(concept)),
  );
  return publishChange(publication, checkpoint, { kind: 'change', apply: [{ concept, mask }], restore: [] }, cause);
};
export const restore = (publication: Publication, checkpoint: string, ...names: readonly string[]) =>
  publishChange(publication, checkpoint, { kind: 'change', apply: [], restore: names }, plain);
export const conceptsOf = ({ manifest }: Published) => manifest.masks.map(({ concept }) => concept);
