import { readFile, rm, writeFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** What a local fleet leaves in its data folder, so that other commands find it. */
const schema = z.object({
  /** Of the launcher. */
  pid: z.int().min(1),
  /** Where its coordinator listens, `host:port`. */
  coordinator: z.string(),
  workers: z.int().min(0),
  /** Its NATS, `host:port`, and the token that lets in; the file is its owner's alone. */
  nats: z.object({ server: z.string(), token: z.string() }).optional(),
});
export type FleetNote = z.infer<typeof schema>;

const noteFile = (data: string): string => join(data, 'fleet.json');

export async function writeNote(data: string, note: FleetNote): Promise<void> {
  const fresh = `${noteFile(data)}.${note.pid}`;
  await writeFile(fresh, JSON.stringify(note), { mode: 0o600 });
  await rename(fresh, noteFile(data));
}

export async function removeNote(data: string): Promise<void> {
  await rm(noteFile(data), { force: true });
}

/** The fleet that runs in a data folder; undefined if there is none, or its launcher is gone. */
export async function findNote(data: string): Promise<FleetNote | undefined> {
  const text = await readFile(noteFile(data), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { data: note } = schema.safeParse(parse(text));
  return note !== undefined && lives(note.pid) ? note : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a process is there, ours or not. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
