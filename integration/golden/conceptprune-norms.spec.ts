import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { compareNorms } from './conceptprune-norms.ts';

const thread = new SessionThread();
afterAll(async () => {
  await thread.close();
});

/** Norms of each list: layers × steps, where a layer's input changes with the step. */
const vectors = {
  ffn2: 2 * 11 * 10,
  ffn1: 2 * 11 * 10,
  'attn-key': 2 * 11,
  'attn-value': 2 * 11,
  text: 2 * 3,
  'ffn2-seeds': 2 * 11 * 7,
  repeated: 2 * 11 * 5,
};

it.each(Object.entries(vectors))("gives the reference's norms of %s", async (name, count) => {
  const compared = await compareNorms(join('integration', 'golden', 'vectors', 'sd15'), name, thread);
  expect(compared.vectors).toBe(count);
  // Seen: 1e-6 at most.
  expect(compared.error).toBeLessThan(1e-4);
});
