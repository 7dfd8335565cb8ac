import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** As many as are of use: requests wait in the queue, not in connections. */
const most = 1024;
/** Descriptors that models, state, logs and the tie to NATS need, with room to spare. */
const kept = 256;

/**
 * Connections that may be open at once, so that a process always has descriptors for itself.
 *
 * @param limits as Linux writes them to /proc/self/limits; '' where there is no such file
 */
export function connectionLimit(limits: string = ownLimits()): number {
  const files = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? most + kept);
  return Math.max(16, Math.min(most, files - kept));
}

function ownLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}

/** The open connections of a server, bounded: past the bound the one goes that has been without a request longest. */
export class Connections {
  readonly #most: number;
  /** Oldest first. TLS wraps sockets, so what tells them apart is the other end. */
  readonly #open = new Map<string, Socket>();
  readonly #busy = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  add(socket: Socket): void {
    const end = endOf(socket);
    this.#open.set(end, socket);
    socket.once('close', () => {
      if (this.#open.get(end) === socket) this.#open.delete(end);
    });
    if (this.#open.size <= this.#most) return;
    const idle = [...this.#open.keys()].find((each) => !this.#busy.has(each));
    const gone = idle ?? end;
    this.#open.get(gone)?.destroy();
    this.#open.delete(gone);
  }

  /** A request came on it. Returns what is to be called when it is answered. */
  begin(socket: Socket): () => void {
    const end = endOf(socket);
    this.#busy.set(end, (this.#busy.get(end) ?? 0) + 1);
    return () => {
      const left = (this.#busy.get(end) ?? 1) - 1;
      if (left > 0) this.#busy.set(end, left);
      else this.#busy.delete(end);
      // Used a moment ago: others are idle for longer.
      const own = this.#open.get(end);
      if (own === undefined) return;
      this.#open.delete(end);
      this.#open.set(end, own);
    };
  }

  end(): void {
    for (const socket of this.#open.values()) socket.destroy();
  }
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
