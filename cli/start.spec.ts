import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ended } from './run-command.spec-support.ts';

/** A checkout in which nothing was compiled. */
let bare: string;
beforeAll(async () => {
  bare = await mkdtemp(join(tmpdir(), 'lethe-bare-'));
  for (const file of ['lethe', 'package.json']) await copyFile(file, join(bare, file));
});
afterAll(async () => {
  await rm(bare, { recursive: true });
});

describe('lethe of a checkout', () => {
  it('starts from any folder, by itself and by node', async () => {
    const expected = { code: 0, stdout: '0.1.0\n', stderr: '' };
    expect(await ended(spawn(process.execPath, [resolve('lethe'), '--version'], { cwd: bare }))).toMatchObject(
      expected,
    );
    if (process.platform === 'win32') return;
    expect(await ended(spawn(resolve('lethe'), ['--version'], { cwd: bare }))).toMatchObject(expected);
  });

  it('says what to run where nothing is compiled', async () => {
    const { code, stdout, stderr } = await ended(spawn(process.execPath, [join(bare, 'lethe'), 'status']));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^error: Lethe is not compiled here yet \[usage\]\n {2}why: .*\n {2}what to do: run `npm run setup`/,
    );
  });
});

it('is started in no other way: nobody owns the name `lethe` in a registry', async () => {
  const { name, private: isPrivate } = JSON.parse(await readFile('package.json', 'utf8')) as Record<string, unknown>;
  expect([name, isPrivate]).toEqual(['@lethe-diffusion/lethe', true]);
  const guides = (await readdir('docs/guide')).map((file) => join('docs', 'guide', file));
  for (const file of ['README.md', 'CONTRIBUTING.md', 'scripts/demo.mjs', ...guides])
    expect(await readFile(file, 'utf8'), file).not.toMatch(/npx (-\S+ )*lethe/);
});
