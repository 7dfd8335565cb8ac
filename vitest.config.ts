import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Specs run as tsc emitted them: worker threads and child processes then load the same files that are shipped.
export default defineConfig({
  test: {
    include: ['dist/**/*.spec.js'],
    exclude: ['**/node_modules/**'],
    // A guard against a spec that hangs, not a bound on how long one takes: specs wait on conditions, and machines are loaded.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    // Long specs wait for processes of their own: on two cores two of them fill the machine, where the default runs one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
