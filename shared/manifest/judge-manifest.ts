import { type Manifest, manifestDigest, manifestSchema } from './manifest.ts';
import { openStatement, type StatementFault } from './statement.ts';
import type { TrustList } from './trust-list.ts';

/** Why a manifest is not served by. The last three are found when its union is fetched. */
export type RefusalReason =
  | StatementFault
  | 'wrong-checkpoint'
  | 'older-version'
  | 'same-version-other-content'
  | 'mask-missing'
  | 'mask-damaged'
  | 'mask-mismatch';

/** The highest version accepted before. */
export interface SeenManifest {
  readonly version: number;
  /** As `manifestDigest` makes it. */
  readonly digest: string;
}

/** What a manifest is judged by. */
export interface ManifestStandard {
  /** Id of the checkpoint that is served. */
  readonly checkpoint: string;
  readonly trust: TrustList;
  readonly seen: SeenManifest | undefined;
}

export type Judgement =
  | { readonly kind: 'accepted'; readonly manifest: Manifest; readonly digest: string }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly why: string };

/**
 * Whether a manifest from anywhere may be served by: signed by an active key of the list, canonical, of this checkpoint,
 * not older than what was seen, and not another content under the same version. The one that was seen last is accepted
 * again, whichever key has signed it. Throws nothing.
 */
export function judgeManifest(bytes: Uint8Array, { checkpoint, trust, seen }: ManifestStandard): Judgement {
  const opened = openStatement<Manifest>('manifest', manifestSchema, bytes, trust, 'refused');
  if (opened.kind === 'refused') return opened;
  const manifest = opened.body;
  const digest = manifestDigest(manifest);
  const refused = (reason: RefusalReason, why: string): Judgement => ({ kind: 'refused', reason, why });
  if (manifest.checkpoint !== checkpoint)
    return refused('wrong-checkpoint', `it is for ${manifest.checkpoint}, not for ${checkpoint}`);
  if (seen !== undefined && manifest.version < seen.version)
    return refused('older-version', `its version is ${manifest.version}, and ${seen.version} was seen`);
  if (seen?.version === manifest.version && seen.digest !== digest)
    return refused('same-version-other-content', `version ${seen.version} was seen with other contents`);
  return { kind: 'accepted', manifest, digest };
}
