import { apiCode, hasApiCode } from './bus-error.ts';
import type { Bus } from './bus.ts';
import { blobStore, buckets, presenceBucket, streamSubjects, streams } from './names.ts';
import { presenceAgeMs } from './presence.ts';

/** Copies of every stream on a cluster of servers. */
export type Replicas = 1 | 3 | 5;

interface StreamSettings {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly [setting: string]: unknown;
}

/** Versions of a document that a bucket keeps; 64 is the most NATS KV allows. */
const history = { [buckets.campaigns]: 8, [buckets.manifests]: 64, [buckets.verifications]: 8 } as const;

/**
 * The streams as they must be. Nothing has a limit: what is stored is removed by acknowledgement or by gc, never by age. Only
 * presence is gone when nobody renews it.
 */
function wanted(replicas: Replicas): readonly StreamSettings[] {
  const common = {
    storage: 'file',
    retention: 'limits',
    discard: 'old',
    max_consumers: -1,
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    max_msgs_per_subject: -1,
    max_msg_size: -1,
    num_replicas: replicas,
  };
  const bucket = { ...common, discard: 'new', allow_rollup_hdrs: true, allow_direct: true };
  return [
    { ...common, name: streams.units, subjects: [streamSubjects.units], retention: 'workqueue' },
    { ...common, name: streams.records, subjects: [streamSubjects.records], max_msgs_per_subject: 1 },
    { ...common, name: streams.audit, subjects: [streamSubjects.audit], deny_delete: true, deny_purge: true },
    ...Object.values(buckets).map((name) => ({
      ...bucket,
      name: `KV_${name}`,
      subjects: [`$KV.${name}.>`],
      deny_delete: true,
      max_msgs_per_subject: history[name],
    })),
    {
      ...bucket,
      name: `KV_${presenceBucket}`,
      subjects: [`$KV.${presenceBucket}.>`],
      max_msgs_per_subject: 1,
      max_age: presenceAgeMs * 1e6,
    },
    { ...bucket, name: `OBJ_${blobStore}`, subjects: [`$O.${blobStore}.C.>`, `$O.${blobStore}.M.>`] },
  ];
}

/**
 * Creates the streams that are missing and brings the others up to date. Any number of coordinators may do it at once, and
 * again at any time: whoever comes second finds it done.
 *
 * @throws LetheError `bus-unavailable`, `bus-refused`, `bus-store-failed`, `bus-failed`.
 */
export async function ensureStreams(bus: Bus, replicas: Replicas): Promise<void> {
  for (const settings of wanted(replicas)) {
    try {
      await ensure(bus, settings);
    } catch (cause) {
      throw bus.explain(`cannot set up the stream ${settings.name}`, cause);
    }
  }
}

async function ensure(bus: Bus, settings: StreamSettings): Promise<void> {
  const present = await settingsOf(bus, settings.name);
  if (present === undefined) {
    try {
      await bus.api(`STREAM.CREATE.${settings.name}`, settings);
      return;
    } catch (cause) {
      // Somebody else was faster, with other settings.
      if (!hasApiCode(cause, apiCode.streamNameInUse)) throw cause;
    }
  } else if (Object.entries(settings).every(([key, value]) => same(present[key], value))) return;
  await bus.api(`STREAM.UPDATE.${settings.name}`, { ...(await settingsOf(bus, settings.name)), ...settings });
}

async function settingsOf(bus: Bus, name: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const { config } = await bus.api<{ config: Readonly<Record<string, unknown>> }>(`STREAM.INFO.${name}`);
    return config;
  } catch (cause) {
    if (hasApiCode(cause, apiCode.streamNotFound)) return undefined;
    throw cause;
  }
}

/** The server leaves out what is false. */
function same(present: unknown, value: unknown): boolean {
  return JSON.stringify(present ?? false) === JSON.stringify(value);
}
