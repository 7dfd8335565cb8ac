import { cp, mkdtemp, readFile, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { SessionSettings } from '../session/protocol.ts';
import { SessionCache } from '../session/session-cache.ts';
import type { SessionThread } from '../session/session-thread.ts';
import { StableDiffusion } from './stable-diffusion.ts';

/** The reference checkpoint, from the root of the repository, where specs run. */
export const emojiSd = join('checkpoint', 'emoji-sd');

/** emoji-sd, or the checkpoint in another directory, ready to be sampled on the CPU. */
export async function openModel(
  thread: SessionThread,
  directory = emojiSd,
  settings: SessionSettings = { provider: 'cpu', threads: 1 },
): Promise<StableDiffusion> {
  return StableDiffusion.open(await openCheckpoint(directory), new SessionCache(thread, settings, 3));
}

/** A copy of emoji-sd that a spec may spoil; the caller removes it. */
export async function copyOfEmojiSd(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'lethe-emoji-sd-')));
  for (const part of ['model_index.json', 'scheduler', 'text_encoder', 'tokenizer', 'unet', 'vae'])
    await cp(join(emojiSd, part), join(directory, part), { recursive: true });
  return directory;
}

/** Sets keys of a JSON file. */
export async function editJson(file: string, changes: Readonly<Record<string, unknown>>): Promise<void> {
  const config = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, JSON.stringify({ ...config, ...changes }));
}
