import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { programFor } from '../program.ts';
import { ended } from '../run-command.spec-support.ts';
import { bashCompletion } from './bash.ts';
import { type CompletionPlace, completionPlaces } from './completion-words.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

let places: readonly CompletionPlace[];
beforeAll(async () => {
  places = completionPlaces(await programFor(() => true));
});

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

/** What bash offers for the last of these words. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const line = words.map((word) => `'${word}'`).join(' ');
  const script = `${bashCompletion(places)}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _lethe; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await ended(spawn('bash', ['--norc', '-c', script]));
  expect(stderr).toBe('');
  return stdout.split('\n').filter((word) => word !== '');
}

describe.skipIf(!has('bash'))('completion of bash', () => {
  it.each([
    [['lethe', 'stat'], ['status']],
    [
      ['./lethe', 'keys', ''],
      ['create', 'list', 'rotate'],
    ],
    [['lethe', 'keys', 'list', '--js'], ['--json']],
    [
      ['lethe', 'status', '-o', ''],
      ['json', 'name', 'wide'],
    ],
    [['lethe', 'masks', '--output', 'w'], ['wide']],
    [
      ['lethe', 'completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    // File names, which bash itself adds.
    [['lethe', 'sweep', ''], []],
    [['lethe', 'status', '--data', ''], []],
  ])('%j', async (words, expected) => {
    expect(await offered(...words)).toEqual(expected);
  });

  it('offers every command, and every option of one', async () => {
    expect(await offered('lethe', '')).toEqual(places[0]?.subcommands.map(({ word }) => word));
    expect(await offered('lethe', 'sweep', '--')).toEqual(
      expect.arrayContaining(['--plan', '--workers', '--coordinator', '--data', '--json', '--help']),
    );
  });
});

it('has a line for every command and option in every shell, quoted', () => {
  const [fish, zsh] = [fishCompletion(places), zshCompletion(places)];
  for (const { path, options } of places) {
    expect(zsh).toContain(`'${path}') if`);
    for (const name of options.flatMap(({ names }) => names).filter((each) => each.startsWith('--')))
      expect(fish).toContain(` -l ${name.slice(2)} `);
  }
  expect(fish).toContain(
    "-a tune -d 'Finds the smallest masks that meet a campaign'\\''s thresholds on validation images.'",
  );
});

it.skipIf(!has('zsh'))('zsh reads it', () => {
  expect(spawnSync('zsh', ['-n'], { input: zshCompletion(places) })).toMatchObject({ status: 0 });
});

it.skipIf(!has('fish'))('fish reads it', async () => {
  // From a file: fish 3.6 takes a pipe for a terminal that is gone.
  const folder = await mkdtemp(join(tmpdir(), 'lethe-fish-'));
  await writeFile(join(folder, 'lethe.fish'), fishCompletion(places));
  const read = spawnSync('fish', ['--no-execute', join(folder, 'lethe.fish')], { encoding: 'utf8' });
  await rm(folder, { recursive: true });
  expect(read).toMatchObject({ status: 0, stderr: '' });
});
