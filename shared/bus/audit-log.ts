import { LetheError } from '../error/lethe-error.ts';
import type { Bus } from './bus.ts';
import { auditCheckpoint, auditFilter, auditSubject, streams } from './names.ts';
import { orderedRead } from './ordered-read.ts';
import { type StoredMessage, lastMessage, swap } from './stored-message.ts';

/** A record of a change, in the order in which changes were made to one checkpoint's masks. */
export interface AuditRecord {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  /** By the server's clock, whole milliseconds since 1970: whoever can write to NATS's own files can set it. */
  readonly storedAt: number;
}

export type Append =
  | { readonly kind: 'appended'; readonly sequence: number }
  /** Somebody else appended first: build on that one. */
  | { readonly kind: 'behind'; readonly head: AuditRecord | undefined };

/** Who changed what and why: can be appended to and never altered. */
export class AuditLog {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** The newest record of a checkpoint. */
  async head(checkpoint: string): Promise<AuditRecord | undefined> {
    try {
      const message = await lastMessage(this.#bus, streams.audit, auditSubject(checkpoint));
      return message && recordOf(message);
    } catch (cause) {
      throw this.#bus.explain('cannot read the audit log', cause);
    }
  }

  /** Appends behind the record with that sequence, 0 for the first. */
  async append(checkpoint: string, bytes: Uint8Array, behind: number): Promise<Append> {
    try {
      const result = await swap(this.#bus, streams.audit, auditSubject(checkpoint), bytes, behind);
      return result.kind === 'set'
        ? { kind: 'appended', sequence: result.sequence }
        : { kind: 'behind', head: result.found && recordOf(result.found) };
    } catch (cause) {
      throw this.#bus.explain('cannot append to the audit log', cause);
    }
  }

  /** Every checkpoint that has records. */
  async checkpoints(): Promise<readonly string[]> {
    try {
      const { state } = await this.#bus.api<{ state: { subjects?: Readonly<Record<string, number>> } }>(
        `STREAM.INFO.${streams.audit}`,
        { subjects_filter: auditFilter },
      );
      return Object.keys(state.subjects ?? {}).flatMap((subject) => auditCheckpoint(subject) ?? []);
    } catch (cause) {
      throw this.#bus.explain('cannot read the audit log', cause);
    }
  }

  /** What NATS's clock shows, milliseconds since 1970: records are stored by it. */
  async now(): Promise<number> {
    try {
      const { ts } = await this.#bus.api<{ ts?: string }>(`STREAM.INFO.${streams.audit}`);
      const now = Date.parse(ts ?? '');
      if (!Number.isNaN(now)) return now;
    } catch (cause) {
      throw this.#bus.explain("cannot read NATS's clock", cause);
    }
    throw new LetheError('bus-failed', {
      what: "cannot read NATS's clock",
      where: streams.audit,
      why: 'its answer about the stream tells no time',
      next: 'run a nats-server of 2.10 or newer',
    });
  }

  /** Every record of a checkpoint, oldest first. */
  async *list(checkpoint: string): AsyncGenerator<AuditRecord, void> {
    const subject = auditSubject(checkpoint);
    try {
      for await (const event of orderedRead(this.#bus, streams.audit, subject, { live: false, batch: 256 }))
        if (event.kind === 'message') yield recordOf(event.message);
    } catch (cause) {
      throw this.#bus.explain('cannot read the audit log', cause);
    }
  }
}

function recordOf({ sequence, bytes, storedAt }: StoredMessage): AuditRecord {
  return { sequence, bytes, storedAt: Math.floor(storedAt) };
}
