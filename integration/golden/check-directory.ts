import { readdir } from 'node:fs/promises';
import type { SessionSettings } from '../../worker/session/protocol.ts';
import type { SessionThread } from '../../worker/session/session-thread.ts';
import { checkpointOf } from './checkpoint-directory.ts';
import { checkCheckpoint } from './checkpoint-vectors.ts';
import { checkConceptPrune } from './conceptprune-sweep.ts';
import { goldenInvalid } from './golden-file.ts';
import { checkPrimitives } from './primitives.ts';
import type { GoldenResult } from './result.ts';

/**
 * Checks every vector in a directory: primitives.* with tokenizer/, and goldens.* and conceptprune*.* with
 * a checkpoint; any of them.
 *
 * @throws LetheError `golden-invalid` if there is none, or a vector that no check knows.
 */
export async function* checkDirectory(
  directory: string,
  thread: SessionThread,
  session: SessionSettings,
): AsyncGenerator<GoldenResult> {
  const entries = await readdir(directory).catch((cause: unknown) => {
    throw goldenInvalid(directory, cause instanceof Error ? cause.message : String(cause), cause);
  });
  const primitives = entries.includes('primitives.safetensors');
  const checkpoint = entries.includes('goldens.safetensors');
  const pairs = entries.flatMap((entry) => /^(conceptprune.*)\.json$/.exec(entry)?.[1] ?? []).sort();
  if (!primitives && !checkpoint && pairs.length === 0)
    throw goldenInvalid(
      directory,
      'there is neither primitives.safetensors nor goldens.safetensors nor a conceptprune*.json',
    );
  if (primitives) yield* checkPrimitives(directory);
  if (checkpoint) yield* checkCheckpoint(directory, thread, session);
  if (pairs.length > 0) yield* checkConceptPrune(directory, await checkpointOf(directory), pairs);
}
