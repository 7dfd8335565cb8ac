import { decodeToken, encodeToken, hashToken } from './token.ts';

/**
 * Every stream, subject, bucket and consumer name. A change of what a name means, or of what is stored under it, is a new
 * version: coordinators of two versions then do not read each other's messages.
 */
const root = 'lethe.v1';

/** The streams, by what is in them. */
export const streams = {
  /** Units that wait or are leased: a work queue, a message goes when it is acknowledged. */
  units: 'lethe_v1_units',
  /** Verdicts, attempts, sums, suspensions: one message a subject, only gc deletes. */
  records: 'lethe_v1_records',
  /** Who changed what and why: nothing is ever deleted. */
  audit: 'lethe_v1_audit',
} as const;

/** Buckets of documents (NATS KV). */
export const buckets = {
  campaigns: 'lethe_v1_campaigns',
  manifests: 'lethe_v1_manifests',
  /** By mask: the newest verification of each. */
  verifications: 'lethe_v1_verifications',
} as const;
export type Bucket = (typeof buckets)[keyof typeof buckets];

/** The bucket of entries that disappear unless they are renewed: which processes serve what. */
export const presenceBucket = 'lethe_v1_servers';

/** The object store of blobs: partials, sums, masks, states of trajectories. */
export const blobStore = 'lethe_v1_blobs';

/** What the three streams listen to. */
export const streamSubjects = {
  units: `${root}.unit.>`,
  records: `${root}.record.>`,
  audit: `${root}.audit.>`,
} as const;

declare const made: unique symbol;
/** A subject that a function of this file made of encoded tokens, so that no name from outside can add a dot or wildcard. */
export type Subject<Kind extends string> = string & { readonly [made]: Kind };
export type UnitSubject = Subject<'unit'>;
export type RecordSubject = Subject<'record'>;
/** A subject with wildcards: which records to list or to watch. */
export type RecordFilter = RecordSubject | Subject<'record-filter'>;
export type AuditSubject = Subject<'audit'>;
export type NoticeSubject = Subject<'notice'>;
export type PresenceSubject = Subject<'presence'>;

/** The units of one campaign that one kind of worker can run: what has a consumer of its own. */
export interface QueueName {
  readonly campaign: string;
  readonly numerics: string;
  readonly memory: string;
}

/** A place in the queue. A spot check runs a unit a second time, beside the first and counted apart. */
export interface UnitAddress extends QueueName {
  /** Hash of the unit. */
  readonly unit: string;
  readonly purpose: 'result' | 'spot-check';
}

/** @throws LetheError `name-invalid`; so do all functions of this file. */
export function unitSubject(address: UnitAddress): UnitSubject {
  const last = address.purpose === 'spot-check' ? '.check' : '';
  return `${queuePrefix(address)}.${hashToken(address.unit, 'unit')}${last}` as UnitSubject;
}

/** The address a queued message stands under; undefined for a subject that `unitSubject` does not make. */
export function parseUnitSubject(subject: string): UnitAddress | undefined {
  const [lethe, version, kind, ...tokens] = subject.split('.');
  const [campaign, numerics, memory, unit, check, ...rest] = tokens;
  if (`${lethe ?? ''}.${version ?? ''}` !== root || kind !== 'unit' || rest.length > 0) return undefined;
  if (unit === undefined || !/^[0-9a-f]{64}$/.test(unit) || (check !== undefined && check !== 'check'))
    return undefined;
  const names = [campaign, numerics, memory].map((token) => decodeToken(token ?? ''));
  if (names.includes(undefined)) return undefined;
  const [first = '', second = '', third = ''] = names;
  const purpose = check === undefined ? 'result' : 'spot-check';
  return { campaign: first, numerics: second, memory: third, unit, purpose };
}

/** What the consumer of a queue filters by. Filters of two queues never overlap, as a work queue demands. */
export function queueFilter(queue: QueueName): string {
  return `${queuePrefix(queue)}.>`;
}

/** Name of a queue's consumer. `__` cannot stand inside an encoded token, so two queues never share one. */
export function consumerName(queue: QueueName): string {
  return queueTokens(queue).join('__');
}

/** All queued units of a campaign. */
export function campaignFilter(campaign: string): string {
  return `${root}.unit.${encodeToken(campaign, 'campaign')}.>`;
}

/** What names of the consumers of a campaign begin with. */
export function campaignConsumers(campaign: string): string {
  return `${encodeToken(campaign, 'campaign')}__`;
}

function queueTokens({ campaign, numerics, memory }: QueueName): readonly string[] {
  return [
    encodeToken(campaign, 'campaign'),
    encodeToken(numerics, 'numerics class'),
    encodeToken(memory, 'memory class'),
  ];
}

function queuePrefix(queue: QueueName): string {
  return `${root}.unit.${queueTokens(queue).join('.')}`;
}

const record = (...tokens: readonly string[]) => [root, 'record', ...tokens].join('.') as RecordSubject;
const filter = (...tokens: readonly string[]) => [root, 'record', ...tokens].join('.') as RecordFilter;

/** Subjects of the record stream: each holds one first-wins record. */
export const records = {
  /** The verdict on a unit and a site: its result, or that it failed. */
  verdict: (unit: string, site: string) => record('verdict', hashToken(unit, 'unit'), encodeToken(site, 'site')),
  /** The result of a second run on purpose. */
  spotCheck: (unit: string) => record('check', hashToken(unit, 'unit')),
  /** One attempt at a unit: which worker, how it ended. */
  attempt: (unit: string, attempt: string) =>
    record('attempt', hashToken(unit, 'unit'), encodeToken(attempt, 'attempt')),
  /** The sum of a cohort; `key` is the hash of sites, steps and numerics class. */
  sum: (cohort: string, key: string) => record('sum', hashToken(cohort, 'cohort'), hashToken(key, 'sum')),
  /** The key that coordinators sign leases with. */
  leaseKey: () => record('lease-key', 'v1'),
  /** A worker that is given no more units. */
  suspension: (worker: string) => record('suspension', encodeToken(worker, 'worker')),
} as const;

/** Filters over the record stream. */
export const recordFilters = {
  verdicts: filter('verdict', '*', '*'),
  spotChecks: filter('check', '*'),
  attempts: filter('attempt', '>'),
  attemptsAt: (unit: string) => filter('attempt', hashToken(unit, 'unit'), '*'),
  sums: filter('sum', '>'),
  sumsOf: (cohort: string) => filter('sum', hashToken(cohort, 'cohort'), '*'),
  suspensions: filter('suspension', '*'),
} as const;

/** Where the audit records of a checkpoint stand, in the order of their sequence. */
export function auditSubject(checkpoint: string): AuditSubject {
  return `${root}.audit.${encodeToken(checkpoint, 'checkpoint')}` as AuditSubject;
}

/** The audit records of all checkpoints. */
export const auditFilter = `${root}.audit.>`;

/** The checkpoint whose audit records stand on a subject; undefined for one that `auditSubject` does not make. */
export function auditCheckpoint(subject: string): string | undefined {
  const prefix = `${root}.audit.`;
  return subject.startsWith(prefix) ? decodeToken(subject.slice(prefix.length)) : undefined;
}

/** Notices that something changed: not stored, so they only ever say "look". */
export function noticeSubject(topic: 'manifest' | 'campaign' | 'suspension'): NoticeSubject {
  return `${root}.look.${topic}` as NoticeSubject;
}

/** Where a serving process says what it serves of a checkpoint; `instance` is 32 hex digits, drawn when it starts. */
export function presenceSubject(checkpoint: string, instance: string): PresenceSubject {
  return `${presenceFilter(checkpoint).slice(0, -1)}${encodeToken(instance, 'instance')}` as PresenceSubject;
}

/** All processes that serve a checkpoint. */
export function presenceFilter(checkpoint: string): string {
  return `$KV.${presenceBucket}.${encodeToken(checkpoint, 'checkpoint')}.*`;
}
