import { defineConfig } from 'vitest/config';

// Specs run as tsc emitted them: worker threads and child processes then load the same files that are shipped.
export default defineConfig({
  test: {
    include: ['dist/**/*.spec.js'],
    exclude: ['**/node_modules/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
});
