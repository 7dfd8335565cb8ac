import { spawn } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyOfEmojiSd, editJson, emojiSd } from '../worker/diffusion/emoji-sd.spec-support.ts';
import { cleanEnvironment, ended, lethe, mainFile } from './run-command.spec-support.ts';

describe('lethe', () => {
  it.each([[[]], [['generate']], [['checkpoint']], [['checkpoint', 'inspect']], [['doctor']]])(
    '%j --help has an example',
    async (command) => {
      const { code, stdout, stderr } = await lethe([...command, '--help']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Examples?:\n {2}\$ lethe \w/m);
      expect(stdout).toContain(['Usage: lethe', ...command].join(' '));
    },
  );

  it('names its version', async () => {
    expect(await lethe(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n', stderr: '' });
  });

  it.each([
    [['pronounce'], 'cannot run lethe', "unknown command 'pronounce'"],
    [['doctr'], 'cannot run lethe', 'Did you mean doctor?'],
    [['checkpoint', 'eat'], 'cannot run lethe checkpoint', "unknown command 'eat'"],
    [['checkpoint', 'inspect'], 'cannot run lethe checkpoint inspect', "missing required argument 'dir'"],
    [['doctor', '--loud'], 'cannot run lethe doctor', "unknown option '--loud'"],
  ])('%j is bad usage, in the shape of every error', async (args, what, why) => {
    const { code, stdout, stderr } = await lethe(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`error: ${what} [usage]\n  why: `);
    expect(stderr).toContain(why);
    expect(stderr).toMatch(/ {2}what to do: see `lethe.* --help`\n$/);
  });

  it.each([[[]], [['checkpoint']]])('%j alone is bad usage, and shows what there is', async (args) => {
    const { code, stdout, stderr } = await lethe(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Commands:');
    expect(stderr).toContain('why: a command is missing');
  });

  it('goes on when its reader has enough', async () => {
    const child = spawn(process.execPath, [mainFile, 'checkpoint', 'inspect', emojiSd], { env: cleanEnvironment() });
    child.stdout.destroy();
    const { code, stderr } = await ended(child);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.skipIf(process.platform !== 'linux')('says so when its result cannot be written', async () => {
    const full = await open('/dev/full', 'w');
    const child = spawn(process.execPath, [mainFile, '--version'], { stdio: ['ignore', full.fd, 'pipe'] });
    const { code, stderr } = await ended(child);
    await full.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: cannot write the result \[write-failed\]\n {2}where: standard output/);
  });
});

describe('lethe checkpoint inspect', () => {
  it('describes a checkpoint as text and as JSON', async () => {
    const [text, json] = await Promise.all([
      lethe(['checkpoint', 'inspect', emojiSd]),
      lethe(['checkpoint', 'inspect', emojiSd, '--json']),
    ]);
    expect([text.code, json.code, text.stderr, json.stderr]).toEqual([0, 0, '', '']);
    const found = JSON.parse(json.stdout) as { id: string; unsupported: unknown[] };
    expect(found).toMatchObject({ family: 'StableDiffusionPipeline', scheduler: 'pndm', unsupported: [] });
    expect(found.id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(text.stdout).toContain(`id          ${found.id}\n`);
    expect(text.stdout).toMatch(/^ffn2 +7 /m);
    expect(text.stdout).toContain('image size  64×64\n');
    expect(text.stdout).toMatch(/unsupported {2}nothing: this checkpoint runs\n$/);
  });

  it('lists all that is unsupported, with 2', async () => {
    const copy = await copyOfEmojiSd();
    await editJson(join(copy, 'unet', 'config.json'), { class_embed_type: 'timestep' });
    await editJson(join(copy, 'model_index.json'), { scheduler: ['diffusers', 'LCMScheduler'] });
    const [text, json] = await Promise.all([
      lethe(['checkpoint', 'inspect', copy]),
      lethe(['checkpoint', 'inspect', copy, '--json']),
    ]);
    await rm(copy, { recursive: true });
    expect([text.code, json.code]).toEqual([2, 2]);
    const { unsupported } = JSON.parse(json.stdout) as { unsupported: { code: string; what: string }[] };
    expect(unsupported.map(({ code }) => code)).toEqual(['config-unsupported', 'config-unsupported']);
    for (const { what } of unsupported) expect(text.stdout).toContain(what);
  });

  it('refuses a directory that is none, with 2', async () => {
    const { code, stdout, stderr } = await lethe(['checkpoint', 'inspect', 'worker']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('[checkpoint-layout]');
  });
});

describe('lethe doctor', () => {
  it('finds a machine in order', async () => {
    const { code, stdout } = await lethe(['doctor']);
    expect(code).toBe(0);
    for (const check of ['node', 'machine', 'provider cpu', 'checkpoint', 'UNet call'])
      expect(stdout).toMatch(new RegExp(`^ok {4}${check}: `, 'm'));
    // Whatever is noted says what to do.
    const notes = stdout.split('\n').filter((line) => line.startsWith('note'));
    expect(stdout.match(/^ {6}what to do: \S/gm) ?? []).toHaveLength(notes.length);
  });

  it('takes an empty setting as not set, and so looks at emoji-sd', async () => {
    const { code, stdout } = await lethe(['doctor', '--json'], { LETHE_CHECKPOINT: '', LETHE_THREADS: '' });
    expect(code).toBe(0);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string }[] };
    expect(checks).toContainEqual(expect.objectContaining({ name: 'checkpoint', state: 'ok' }));
  });

  it('fails for a checkpoint that is none, after looking at everything else', async () => {
    const { code, stdout } = await lethe(['doctor', '--json'], { LETHE_CHECKPOINT: 'worker' });
    expect(code).toBe(1);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; next?: string }[] };
    expect(checks.filter(({ state }) => state === 'failed')).toEqual([
      expect.objectContaining({ name: 'checkpoint', next: expect.stringMatching(/\w/) as string }),
    ]);
    expect(checks).toContainEqual(expect.objectContaining({ name: 'provider cpu', state: 'ok' }));
  });
});
