import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lethe } from './run-command.spec-support.ts';

let folder: string;
let unusable: Readonly<Record<string, string>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-runtime-'));
  // The loader takes it for onnxruntime's own library, and cannot load it.
  await writeFile(join(folder, 'libonnxruntime.so.1'), '');
  unusable = { LD_LIBRARY_PATH: folder };
});
afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(process.platform !== 'linux')("where onnxruntime's library cannot be loaded", () => {
  it('doctor says so, and goes on', async () => {
    const { code, stdout } = await lethe(['doctor'], unusable);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^FAIL +onnxruntime: the library of onnxruntime does not fit this system .*file too short$/m,
    );
    expect(stdout).toMatch(/^ok +checkpoint: /m);
  });

  it('a command that runs a model says why it cannot, and one that runs none works', async () => {
    const image = join(folder, 'x.png');
    const [generate, inspect] = await Promise.all([
      lethe(['generate', '--prompt', 'a cat', '--out', image], unusable),
      lethe(['checkpoint', 'inspect', 'checkpoint/emoji-sd'], unusable),
    ]);
    expect(generate).toMatchObject({ code: 1, stderr: expect.stringContaining('[runtime-unusable]') as string });
    expect(generate.stderr).not.toMatch(/memory/);
    expect(inspect.code).toBe(0);
  });
});
