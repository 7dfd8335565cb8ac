import { FleetClient } from '../fleet/fleet-client.ts';
import { findNote, type FleetNote } from './fleet-note.ts';

/** Milliseconds that a coordinator of this machine has to answer. */
const answerMs = 3000;

/**
 * The fleet that runs in a data folder. What its note says is tried: after a crash its process id may be another
 * program's. (Two fleets on one folder are kept apart by the lock of nats-server's.)
 */
export async function runningFleet(data: string): Promise<FleetNote | undefined> {
  const note = await findNote(data);
  if (note === undefined) return undefined;
  const client = new FleetClient(note.coordinator);
  try {
    await client.workers(answerMs);
    return note;
  } catch {
    return undefined;
  } finally {
    client.close();
  }
}
