import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lethe } from './run-command.spec-support.ts';

/** Packages of node_modules, and files of dist/, that a command loads; V8 lists every script it compiles. */
async function loadedBy(...args: readonly string[]): Promise<{ readonly packages: Set<string>; readonly own: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'lethe-loaded-'));
  await lethe(args, { NODE_V8_COVERAGE: folder });
  const urls: string[] = [];
  for (const file of await readdir(folder)) {
    const { result } = JSON.parse(await readFile(join(folder, file), 'utf8')) as { result: { url: string }[] };
    urls.push(...result.map(({ url }) => url));
  }
  await rm(folder, { recursive: true });
  const packages = urls.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  return { packages: new Set(packages), own: urls.filter((url) => url.includes('/dist/')).length };
}

describe('lethe', () => {
  it.each([['--version'], ['--help'], ['no-such-command']])('loads no command for %s', async (arg) => {
    const { packages, own } = await loadedBy(arg);
    expect([...packages]).toEqual(['commander']);
    // The smallest command loads some fifty.
    expect(own).toBeLessThan(20);
  });

  it.each([['status'], ['verify'], ['tune'], ['serve']])(
    'loads neither charts nor the model runtime to explain %s',
    async (command) => {
      const { packages } = await loadedBy(command, '--help');
      for (const heavy of ['echarts', 'zrender', 'onnxruntime-node']) expect(packages).not.toContain(heavy);
    },
  );
});
