import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { durationBuckets } from './duration-buckets.ts';
import { processRegistry } from './process-registry.ts';
import { releaseVersion } from './release.ts';

it('says which release runs as what', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { readonly version: string };
  expect(releaseVersion).toBe(version);
  const page = await processRegistry('worker').metrics();
  expect(page).toContain(`lethe_build_info{version="${version}",process="worker",node="${process.versions.node}"} 1\n`);
  expect(page).toContain('process_cpu_seconds_total');
});

it('has a bound between any two of 1, 2, 3 and 5 seconds', () => {
  const bucket = (seconds: number): number => durationBuckets.findIndex((bound) => seconds <= bound);
  expect(new Set([1, 1.2, 2, 3, 5].map(bucket)).size).toBe(5);
});
