import { LetheError } from '../../shared/error/lethe-error.ts';
import {
  type ChangeRecord,
  manifestOf,
  type RecordedMask,
  recordHash,
  signRecord,
} from '../../shared/manifest/change-record.ts';
import { type Manifest, manifestDigest, statementLimit, versionLimit } from '../../shared/manifest/manifest.ts';
import type { TrustList } from '../../shared/manifest/trust-list.ts';
import { type ChangeCause, changedMasks, type ManifestChange } from './manifest-change.ts';
import { publishRecord, type Publication } from './publish-record.ts';
import { requireClock } from './require-clock.ts';
import { requireVerified, withVerifications } from './require-verified.ts';
import { type Base, baseOf, isPublished, readStanding, requireTrusted } from './standing.ts';
import { uniteActive } from './unite-active.ts';
import { masksOfVersion } from './versions.ts';

/** What is active after a change. */
export interface Published {
  readonly manifest: Manifest;
  readonly digest: string;
  /**
   * Whether the change made a version. One that changes nothing makes none, and stores what is active whole and sealed; unless
   * serving processes have seen a higher version, which makes them refuse what is active.
   */
  readonly changed: boolean;
}

/**
 * Makes a change of the active masks, on top of whatever is active by then. The change is decided when its record is the
 * next one of the audit log; the manifest follows from the record, and is published by this coordinator or, if this one is
 * killed in between, by whichever comes next.
 *
 * @throws LetheError `signing-unavailable`, `manifest-untrusted`, `mask-unverified`, `version-missing`; unless it is signed
 *   anew, `blob-missing`, `mask-invalid`, `blob-sealed` for a mask that is not there whole, `mask-mismatch` for one of another
 *   checkpoint: nothing is changed then.
 * @param dryRun stop before anything is stored: every refusal is the same, and the version is the one that it would get
 */
export async function publishChange(
  publication: Publication,
  checkpoint: string,
  change: ManifestChange,
  cause: ChangeCause,
  dryRun = false,
): Promise<Published> {
  const { store, keyring, now } = publication;
  const key = await keyring.signing();
  const trust = await keyring.trust();
  requireClock(now().getTime(), await store.audit.now(), checkpoint);
  for (;;) {
    const standing = await readStanding(store, checkpoint, trust);
    requireTrusted(standing, checkpoint, cause.force);
    const base = baseOf(standing);
    // Left by a coordinator that was killed: decided all the same.
    if (!dryRun && standing.head !== undefined && base?.record === standing.head.hash && !isPublished(standing))
      await publishRecord(publication, standing.head.record, standing.head.hash);
    const { masks, forced } = await masksAfter(publication, checkpoint, trust, change, base, cause);
    // Also where nothing changes: what is active may be stored damaged, or from before there was a fleet key. To sign it anew
    // needs none of it: a mask that cannot be read must not keep a stolen key from being retired.
    const union = change.kind === 'sign' ? base?.union : await uniteActive(store.masks, checkpoint, masks, dryRun);
    const reported = await believedVersion(publication, checkpoint);
    // Below what serving processes have seen, as when NATS was put back from a backup, they refuse what is active.
    const isFollowed = base !== undefined && reported <= base.version;
    if (isFollowed && change.kind !== 'sign' && sameMasks(masks, base.masks)) return unchanged(checkpoint, base);
    const record: ChangeRecord = {
      format: 'lethe-audit-1',
      checkpoint,
      version: 1 + Math.max(base?.version ?? 0, reported),
      when: now().toISOString(),
      who: cause.who,
      why: cause.why,
      action: actionOf(change),
      ...(change.kind === 'rollback' ? { target: change.target } : {}),
      forced,
      masks: [...masks],
      ...(union === undefined ? {} : { union }),
      ...(base === undefined ? {} : { previous: base.record }),
    };
    // No record vouches for it, so that it cannot be taken for one that is published.
    if (dryRun) return { manifest: manifestOf(record, ''), digest: '', changed: true };
    const bytes = signRecord(record, key);
    if (bytes.length > statementLimit) throw tooMany(checkpoint, masks.length);
    const appended = await store.audit.append(checkpoint, bytes, standing.sequence);
    if (appended.kind === 'behind') continue;
    const manifest = await publishRecord(publication, record, recordHash(bytes));
    return { manifest, digest: manifestDigest(manifest), changed: true };
  }
}

async function masksAfter(
  { store }: Publication,
  checkpoint: string,
  trust: TrustList,
  change: ManifestChange,
  base: Base | undefined,
  { force }: ChangeCause,
): Promise<{ readonly masks: readonly RecordedMask[]; readonly forced: boolean }> {
  const before = base?.masks ?? [];
  const isActive = ({ concept, mask }: RecordedMask): boolean =>
    before.some((each) => each.concept === concept && each.mask === mask);
  switch (change.kind) {
    case 'sign':
      return { masks: before, forced: false };
    case 'rollback': {
      // By what is known of them today: they may have been verified since, or have failed.
      const then = await masksOfVersion(store.audit, checkpoint, trust, change.target);
      const masks = await withVerifications(store, checkpoint, then);
      return {
        masks,
        forced: requireVerified(
          masks.filter((each) => !isActive(each)),
          force,
        ),
      };
    }
    case 'change': {
      const apply = await withVerifications(store, checkpoint, change.apply);
      const forced = requireVerified(
        apply.filter((each) => !isActive(each)),
        force,
      );
      return { masks: changedMasks(before, apply, change.restore), forced };
    }
  }
}

/** The highest version that serving processes report, unless no coordinator can have published it. */
async function believedVersion({ reportedVersion }: Publication, checkpoint: string): Promise<number> {
  const reported = await reportedVersion(checkpoint);
  return reported <= versionLimit / 2 ? reported : 0;
}

function actionOf(change: ManifestChange): ChangeRecord['action'] {
  if (change.kind !== 'change') return change.kind;
  return change.apply.length > 0 ? 'apply' : 'restore';
}

function sameMasks(a: readonly RecordedMask[], b: readonly RecordedMask[]): boolean {
  return a.length === b.length && a.every(({ concept, mask }, i) => concept === b[i]?.concept && mask === b[i].mask);
}

function unchanged(checkpoint: string, { version, masks, union, record }: Base): Published {
  const manifest: Manifest = {
    format: 'lethe-manifest-1',
    checkpoint,
    version,
    masks: masks.map(({ concept, mask }) => ({ concept, mask })),
    ...(union === undefined ? {} : { union }),
    audit: record,
  };
  return { manifest, digest: manifestDigest(manifest), changed: false };
}

function tooMany(where: string, masks: number): LetheError {
  return new LetheError('usage', {
    what: 'cannot make so many masks active',
    where,
    why: `the record of ${masks} masks is larger than ${statementLimit} bytes`,
    next: 'restore some, or find several concepts with one mask',
  });
}
