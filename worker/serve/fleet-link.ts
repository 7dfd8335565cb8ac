import { setTimeout as after } from 'node:timers/promises';
import { Blobs } from '../../shared/bus/blobs.ts';
import { Broadcast } from '../../shared/bus/broadcast.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { type BusAddress, connectBus } from '../../shared/bus/connect.ts';
import { Documents } from '../../shared/bus/documents.ts';
import { buckets } from '../../shared/bus/names.ts';
import { Presence, type ServerEntry } from '../../shared/bus/presence.ts';
import type { Standing } from './follow-observer.ts';
import type { ManifestSource } from './manifest-follower.ts';

/** Milliseconds between two looks at what is published, beside those that a notice or a reconnect asks for. */
const lookMs = 10_000;
const redialMs = 1_000;
const patience = { totalMs: 5_000, requestMs: 5_000 };

/** Who this process is to the fleet. */
export interface ServerName {
  readonly process: string;
  readonly checkpoint: string;
  readonly since: number;
}

/** Where NATS is now; undefined while that is not known. It is asked again when the connection is lost. */
export type FindBus = () => Promise<BusAddress | undefined>;

/**
 * The tie of a serving process to its fleet: it looks at what is published after every notice, every reconnect and every ten
 * seconds, and says in KV what it serves. NATS may be away for as long as it likes.
 */
export class FleetLink {
  readonly #name: ServerName;
  readonly #find: FindBus;
  readonly #look: (source: ManifestSource) => Promise<void>;
  readonly #away: (error: unknown) => void;
  readonly #stop = new AbortController();
  #standing: Standing = { served: undefined, seen: undefined, refused: undefined };
  #presence: Presence | undefined;
  #running: Promise<void> = Promise.resolve();

  /** @param away is told when NATS cannot be reached, again and again */
  constructor(
    name: ServerName,
    find: FindBus,
    look: (source: ManifestSource) => Promise<void>,
    away: (error: unknown) => void,
  ) {
    this.#name = name;
    this.#find = find;
    this.#look = look;
    this.#away = away;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Acknowledges, or says why not. Stored at the next renewal where NATS does not answer now. */
  say(standing: Standing): void {
    this.#standing = standing;
    this.#presence?.say(this.#entry()).catch(this.#away);
  }

  /** Takes its entry back, if NATS is there, and disconnects. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      let bus: Bus | undefined;
      try {
        const address = await this.#find();
        if (address !== undefined) {
          bus = await connectBus(address, patience);
          await this.#follow(bus, address);
        }
      } catch (error) {
        this.#away(error);
      } finally {
        await bus?.close();
      }
      await this.#pause(redialMs);
    }
  }

  /** Until the process ends, or NATS is lost and found elsewhere. */
  async #follow(bus: Bus, address: BusAddress): Promise<void> {
    const source = sourceOf(bus, this.#name.checkpoint);
    const look = (): void => void this.#look(source);
    const presence = new Presence(bus, this.#entry());
    this.#presence = presence;
    let deafen: () => void = () => undefined;
    try {
      deafen = await new Broadcast(bus).listen('manifest', look);
      do {
        look();
        await this.#pause(lookMs);
      } while (!this.#stop.signal.aborted && !(await this.#hasMoved(bus, address)));
    } finally {
      deafen();
      this.#presence = undefined;
      await presence.withdraw();
    }
  }

  /** A fleet that was started anew has another port and another token: dialling on would be in vain. */
  async #hasMoved(bus: Bus, from: BusAddress): Promise<boolean> {
    if (!bus.connection.aborted) return false;
    const to = await this.#find().catch(() => undefined);
    return to !== undefined && JSON.stringify(to) !== JSON.stringify(from);
  }

  #entry(): ServerEntry {
    const { served, seen, refused } = this.#standing;
    return {
      ...this.#name,
      ...(served !== undefined && { version: served.version, digest: served.digest }),
      ...(served?.seconds !== undefined && { seconds: served.seconds }),
      ...(seen !== undefined && { seen }),
      ...(refused !== undefined && { refused: { reason: refused.reason, why: refused.why.slice(0, 2000) } }),
    };
  }

  async #pause(ms: number): Promise<void> {
    await after(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

/** What is published for a checkpoint, as NATS has it. */
export function sourceOf(bus: Bus, checkpoint: string): ManifestSource {
  const documents = new Documents(bus, buckets.manifests);
  const blobs = new Blobs(bus);
  return { manifest: () => documents.read(checkpoint), blob: (name) => blobs.get(name) };
}
