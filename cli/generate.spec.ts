import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyOfEmojiSd, emojiSd } from '../worker/diffusion/emoji-sd.spec-support.ts';
import { cleanEnvironment, ended, lethe, mainFile } from './run-command.spec-support.ts';

/** As few model calls as there can be. */
const quick = ['--scheduler', 'euler', '--steps', '2'];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-generate-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('lethe generate', () => {
  it('writes one file, names it on stdout and says how far it is on stderr, in plain lines', async () => {
    const out = join(folder, 'made', 'apple.png');
    const { code, stdout, stderr } = await lethe(['generate', '--prompt', 'a red apple', ...quick, '--out', out]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${out}\n` });
    expect(stderr).toBe('denoising 1/2\ndenoising 2/2\n');
    expect(decode(await readFile(out))).toMatchObject({ width: 64, height: 64, channels: 3, depth: 8 });
  });

  it('writes a file for each prompt into a folder; the same bytes at any batch', async () => {
    const prompts = ['--prompt', 'a cat', 'an owl', 'a violin', '--seed', '5'];
    const [one, other] = [join(folder, 'one'), join(folder, 'other')];
    const made = await lethe(['generate', ...prompts, ...quick, '--batch', '3', '--out', one]);
    const names = ['0-seed5.png', '1-seed6.png', '2-seed7.png'];
    expect(made).toMatchObject({ code: 0, stdout: names.map((name) => `${join(one, name)}\n`).join('') });
    await lethe(['generate', ...prompts, ...quick, '--out', other], { LETHE_BATCH: '2' });
    expect(await readdir(other)).toEqual(names);
    for (const name of names) expect(await readFile(join(other, name))).toEqual(await readFile(join(one, name)));
  });

  it('puts several prompts side by side into one file, and says with --json what was made', async () => {
    const out = join(folder, 'sheet.png');
    const args = ['generate', '--prompt', 'a cat', 'an owl', ...quick, '--seed', '-1', '--out', out, '--json'];
    const { code, stdout } = await lethe(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      files: [out],
      images: [
        { prompt: 'a cat', seed: '-1', width: 64, height: 64 },
        { prompt: 'an owl', seed: '0', width: 64, height: 64 },
      ],
      scheduler: 'euler',
      steps: 2,
      guidance: 2.5,
      unetCalls: 2,
    });
    expect(decode(await readFile(out))).toMatchObject({ width: 2 * 128 + 3 * 6, channels: 3 });
  });

  it('has what suits a checkpoint as default, recognises a copy of emoji-sd, and takes sizes', async () => {
    const copy = await copyOfEmojiSd();
    const args = ['generate', '--prompt', 'a cat', '--steps', '1', '--size', '32x64', '--json', '--out', folder];
    const { stdout } = await lethe([...args, '--checkpoint', copy]);
    await rm(copy, { recursive: true });
    expect(JSON.parse(stdout)).toMatchObject({ scheduler: 'pndm', guidance: 2.5, images: [{ width: 32, height: 64 }] });
  });

  it('says which part of a prompt is too long', async () => {
    const prompt = `${'cat '.repeat(22)}red apple`;
    const { code, stdout, stderr } = await lethe(['generate', '--prompt', prompt, ...quick, '--out', folder, '--json']);
    expect(code).toBe(0);
    expect(stderr).toContain('warning: prompt 1 is longer than 24 tokens; this part is left out: red apple\n');
    expect(JSON.parse(stdout)).toMatchObject({ images: [{ prompt, truncated: 'red apple' }] });
  });
});

describe('settings', () => {
  it('come from flags first, then from the environment', async () => {
    const environment = { LETHE_CHECKPOINT: 'nowhere', LETHE_VARIANT: 'fp99' };
    const args = ['generate', '--json', ...quick, '--prompt', 'a', '--out', folder];
    const { error } = JSON.parse((await lethe(args, environment)).stdout) as { error: { where: string } };
    expect(error.where).toContain('nowhere');
    const flag = await lethe([...args, '--checkpoint', emojiSd], { LETHE_CHECKPOINT: 'nowhere', LETHE_THREADS: '2' });
    expect(flag.code).toBe(0);
    const wrong = await lethe(args, { LETHE_THREADS: 'many' });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('LETHE_THREADS');
  });
});

/** Many steps: it is still at work when it is stopped. */
const long = () => ['generate', '--prompt', 'a cat', '--scheduler', 'ddim', '--steps', '900', '--out', folder];

describe('a signal', () => {
  it.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends it, in the middle of a model call',
    async (signal) => {
      const child = spawn(process.execPath, [mainFile, ...long()], { env: cleanEnvironment() });
      child.stderr.once('data', () => child.kill(signal));
      const end = await ended(child);
      expect(end).toMatchObject({ code: null, signal, stdout: '' });
      expect(end.stderr).toMatch(/^(denoising \d+\/900\n)+$/);
      expect(await readdir(folder)).toEqual([]);
    },
  );
});

const scriptFile = '/usr/bin/script';
const hasScript = process.platform === 'linux' && spawnSync(scriptFile, ['--version']).status === 0;

describe('on a terminal (needs util-linux script)', () => {
  /** `script` gives the command a terminal of its own; what it shows comes out of stdout. */
  const onTerminal = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    spawn(scriptFile, ['-qec', [process.execPath, mainFile, ...args].join(' '), '/dev/null'], {
      env: cleanEnvironment({ TERM: 'xterm', LC_ALL: 'C.UTF-8', ...environment }),
    });
  const [hideCursor, showCursor] = ['\u001b[?25l', '\u001b[?25h'];

  it.skipIf(!hasScript)('there is a bar, and the cursor is shown again', async () => {
    const { code, stdout } = await ended(onTerminal(['generate', '--prompt', 'cat', ...quick, '--out', folder]));
    expect(code).toBe(0);
    expect(stdout).toMatch(/denoising █+ 2\/2, 100 %/);
    expect(stdout.lastIndexOf(showCursor)).toBeGreaterThan(stdout.lastIndexOf(hideCursor));
    expect(stdout.trimEnd().endsWith('0-seed0.png')).toBe(true);
  });

  it.skipIf(!hasScript)('there are plain lines where a terminal cannot go back, and no other character', async () => {
    const args = ['generate', '--prompt', 'cat', ...quick, '--out', folder];
    const { stdout } = await ended(onTerminal(args, { TERM: 'dumb', LC_ALL: 'C' }));
    expect(stdout).toMatch(/^denoising 1\/2\r\ndenoising 2\/2\r\n[\x20-\x7e]*0-seed0\.png\r\n$/);
  });

  it.skipIf(!hasScript)('Ctrl-C ends it with 130 and shows the cursor again', async () => {
    const child = onTerminal(['generate', '--prompt', 'cat', '--scheduler', 'ddim', '--steps', '900', '--out', folder]);
    // A terminal drops what is still being shown when Ctrl-C comes: the bar has to be there.
    const interrupt = (part: unknown) => {
      if (!String(part).includes('denoising')) return;
      child.stdout.off('data', interrupt);
      child.stdin.write('\u0003');
    };
    child.stdout.on('data', interrupt);
    const { code, stdout } = await ended(child);
    expect(code).toBe(130);
    expect(stdout).toContain(hideCursor);
    expect(stdout.lastIndexOf(showCursor)).toBeGreaterThan(stdout.lastIndexOf(hideCursor));
  });
});

describe('a folder that is there already', () => {
  it('is a folder whatever its name', async () => {
    const out = join(folder, 'odd.png');
    await mkdir(out);
    expect(await lethe(['generate', '--prompt', 'a cat', ...quick, '--out', out])).toMatchObject({
      code: 0,
      stdout: `${join(out, '0-seed0.png')}\n`,
    });
  });
});
