import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Bus } from './bus.ts';
import { presenceBucket, presenceFilter, presenceSubject } from './names.ts';
import { orderedRead } from './ordered-read.ts';

/** Milliseconds after which an entry that nobody renews is gone; a process renews its own every third of it. */
export const presenceAgeMs = 15_000;

/** Characters of a process's name. */
export const processNameLimit = 200;

const schema = z.object({
  /** What people call it: a name that an operator gave, or host and port. */
  process: z.string().min(1).max(processNameLimit),
  checkpoint: z.string().min(1).max(1000),
  /** Of the manifest it serves, and its digest as `manifestDigest` makes it; absent before its first. */
  version: z.int().min(1).optional(),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** From the publication of that manifest until it was served. */
  seconds: z.number().min(0).optional(),
  /** The highest version it has accepted: one that it does not serve yet, or cannot. */
  seen: z.int().min(1).optional(),
  /** Why it does not serve what is published. */
  refused: z.object({ reason: z.string().min(1).max(100), why: z.string().max(2000) }).optional(),
  /** When the process started, milliseconds since 1970. */
  since: z.number(),
});

/** What a serving process says of itself, for one checkpoint. */
export type ServerEntry = z.infer<typeof schema>;

/** An entry, and which process it is of: names may be given twice. */
export interface ServerPresence extends ServerEntry {
  readonly instance: string;
  /** When it last said so, by the clock of NATS, milliseconds since 1970. */
  readonly seenAt: number;
}

/**
 * Keeps an entry alive until it is withdrawn, and renews it at once after every reconnect. What cannot be stored is stored at
 * the next renewal: a process whose entry is gone is taken for dead, and nothing else follows from it.
 */
export class Presence {
  readonly #bus: Bus;
  readonly #subject: string;
  readonly #timer: NodeJS.Timeout;
  readonly #forget: () => void;
  #entry: ServerEntry;
  #storing: Promise<void> = Promise.resolve();
  #ended = false;

  /** @param ageMs of the bucket */
  constructor(bus: Bus, entry: ServerEntry, ageMs: number = presenceAgeMs) {
    this.#bus = bus;
    this.#entry = entry;
    this.#subject = presenceSubject(entry.checkpoint, randomBytes(16).toString('hex'));
    const renew = (): void => void this.#store().catch(() => undefined);
    this.#timer = setInterval(renew, ageMs / 3);
    this.#forget = bus.onReconnect(renew);
    renew();
  }

  /** Says something else from now on. Resolves when it is stored. @throws LetheError `bus-unavailable`, `bus-store-failed` */
  async say(entry: ServerEntry): Promise<void> {
    this.#entry = entry;
    await this.#store();
  }

  /** Removes the entry, if NATS is there; without it, the entry goes by itself. */
  async withdraw(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#forget();
    await this.#storing.catch(() => undefined);
    await this.#bus
      .storeOnce(this.#subject, new Uint8Array(), undefined, { 'KV-Operation': 'PURGE', 'Nats-Rollup': 'sub' })
      .catch(() => undefined);
  }

  /** One after another, so that the last said stands last. */
  #store(): Promise<void> {
    const before = this.#storing.catch(() => undefined);
    this.#storing = before.then(async () => {
      if (this.#ended) return;
      try {
        await this.#bus.store(this.#subject, Buffer.from(JSON.stringify(this.#entry), 'utf8'));
      } catch (cause) {
        throw this.#bus.explain('cannot say what is served here', cause);
      }
    });
    return this.#storing;
  }
}

/**
 * The processes that serve a checkpoint now, those that ended without a word for up to `presenceAgeMs`. Entries that cannot
 * be read are of another release and are left out.
 *
 * @throws LetheError `bus-unavailable`, `bus-failed`
 */
export async function listServers(bus: Bus, checkpoint: string): Promise<readonly ServerPresence[]> {
  const filter = presenceFilter(checkpoint);
  const found = new Map<string, ServerPresence>();
  try {
    for await (const event of orderedRead(bus, `KV_${presenceBucket}`, filter, { live: false, batch: 256 })) {
      if (event.kind === 'current') break;
      const { subject, bytes, isTombstone, storedAt } = event.message;
      const instance = subject.slice(subject.lastIndexOf('.') + 1);
      found.delete(instance);
      const entry = isTombstone ? undefined : entryOf(bytes);
      if (entry !== undefined) found.set(instance, { ...entry, instance, seenAt: storedAt });
    }
  } catch (cause) {
    throw bus.explain('cannot list the serving processes', cause);
  }
  return [...found.values()].sort((a, b) => (a.process < b.process ? -1 : 1));
}

function entryOf(bytes: Uint8Array): ServerEntry | undefined {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
