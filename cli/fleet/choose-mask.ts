import { closest } from '../../shared/config/closest.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { conceptKey, isSameConcept } from '../../shared/mask/same-concept.ts';
import { age } from '../output/age.ts';
import { shortHash } from '../output/figures.ts';

/** A mask that is known, before its bytes are read. */
export interface KnownMask {
  /** Of its canonical bytes, 64 hex digits. */
  readonly hash: string;
  /** Of several: joined by ` + `. */
  readonly concept: string;
  /** Id of the campaign that made it; undefined for a file whose campaign is not known here. */
  readonly campaign: string | undefined;
  /** Milliseconds since 1970; undefined where nobody knows. */
  readonly madeAt: number | undefined;
}

/** Hex digits that name a mask, at least. */
const prefix = /^[0-9a-f]{4,64}$/;

/** Masks that are listed in an error at most. */
const shown = 12;

/**
 * The mask that a name means:
 *
 * - the hash, or four or more digits of its beginning,
 * - a concept, in any spelling of it: its newest mask that has passed a verification; else its only one,
 * - `campaign/concept`, where a campaign is told by its id or the name at the beginning of it.
 *
 * @param isVerified tells whether a mask has passed its newest verification; asked only where several have the name
 * @throws LetheError `mask-missing` if none has the name, `mask-ambiguous` if several have and nothing tells which is meant: a
 *   name that is one mask's concept and the beginning of another's hash too.
 */
export async function chooseMask(
  name: string,
  all: readonly KnownMask[],
  isVerified: (hashes: readonly string[]) => Promise<ReadonlySet<string>>,
  now: number,
): Promise<KnownMask> {
  const digits = name.toLowerCase();
  const byHash = prefix.test(digits) ? all.filter(({ hash }) => hash.startsWith(digits)) : [];
  const named = all.filter(
    ({ concept, campaign }) => isSameConcept(concept, name) || isQualified(name, campaign, concept),
  );
  const [first, ...others] = distinct([...byHash, ...named]);
  if (first === undefined) throw missing(name, all);
  if (others.length === 0) return first;
  if (byHash.length > 0)
    throw ambiguous(name, [first, ...others], now, 'it begins the hash of one, and others have it too');
  const candidates = distinct(named);
  const verified = await isVerified(candidates.map(({ hash }) => hash));
  const [best] = newestFirst(candidates.filter(({ hash }) => verified.has(hash)));
  if (best !== undefined) return best;
  throw ambiguous(name, candidates, now, 'several masks have it, and none of them is verified');
}

/** The newest first; those of which it is not known last. */
export function newestFirst<T extends { readonly madeAt: number | undefined }>(masks: readonly T[]): readonly T[] {
  return masks.toSorted((a, b) => (b.madeAt ?? 0) - (a.madeAt ?? 0));
}

/** Whether `name` is `campaign/concept` of this one. A concept may hold slashes, the id of a campaign none. */
function isQualified(name: string, campaign: string | undefined, concept: string): boolean {
  const at = name.indexOf('/');
  if (campaign === undefined || at < 1 || !isSameConcept(name.slice(at + 1), concept)) return false;
  const given = conceptKey(name.slice(0, at));
  return campaign === given || campaign.replace(/-[0-9a-f]{12}$/, '') === given;
}

/** Each mask once: campaigns that made the same bytes made the same mask. */
function distinct(masks: readonly KnownMask[]): readonly KnownMask[] {
  return [...new Map(masks.toReversed().map((each) => [each.hash, each])).values()].reverse();
}

function missing(name: string, all: readonly KnownMask[]): LetheError {
  const names = all.flatMap(({ concept, campaign }) => [
    concept,
    ...(campaign === undefined ? [] : [`${campaign}/${concept}`]),
  ]);
  const meant = closest(name, [...new Set(names)]);
  return new LetheError('mask-missing', {
    what: 'cannot find the mask',
    where: name,
    why: `no mask has this hash or concept; there are ${all.length}`,
    next: meant === undefined ? '`lethe masks` lists them' : `did you mean ${meant}? \`lethe masks\` lists all`,
  });
}

function ambiguous(name: string, masks: readonly KnownMask[], now: number, why: string): LetheError {
  const rows = newestFirst(masks).map(({ hash, concept, campaign = 'no campaign known here', madeAt }) => {
    const made = age(madeAt, now);
    return `${shortHash(hash)} ${concept} (${campaign}${made === '' ? '' : `, ${made} old`})`;
  });
  const more = rows.length > shown ? [`and ${rows.length - shown} more`] : [];
  return new LetheError('mask-ambiguous', {
    what: 'it is not clear which mask is meant',
    where: name,
    why: [`${why}:`, ...rows.slice(0, shown), ...more].join('\n    '),
    next: 'name one by more digits of its hash, or as campaign/concept',
  });
}
