import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../shared/checkpoint/read-safetensors.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { checkDirectory } from './check-directory.ts';
import { formatResult, type GoldenResult, passed } from './result.ts';

const vectors = join('integration', 'golden', 'vectors');

/** How many results each folder gives, so that none is lost unseen. */
const counts: Readonly<Record<string, number>> = {
  'emoji-sd': 39 + 2 * (2 * 7 + 1),
  early: 12,
  primitives: 51,
  sd15: 43 + 145,
  uneven: 21,
  unusual: 20,
};

describe('the golden vectors', () => {
  const thread = new SessionThread();
  afterAll(() => thread.close());

  it('are all counted', async () => {
    const entries = await readdir(vectors, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(folders.sort()).toEqual(Object.keys(counts).sort());
  });

  it.each(Object.entries(counts))('%s: every one matches', async (name, count) => {
    const results: GoldenResult[] = [];
    for await (const result of checkDirectory(join(vectors, name), thread, { provider: 'cpu', threads: 1 }))
      results.push(result);
    expect(results.filter((result) => !passed(result)).map(formatResult)).toEqual([]);
    expect(results).toHaveLength(count);
  });
});

const mainFile = join('dist', 'integration', 'golden', 'main.js');

/** The command of `npm run golden`, without the set-up. */
async function golden(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const child = execFile(process.execPath, [mainFile, ...args], (_, stdout, stderr) => {
      done({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

const line = /^\S+ (\d+|\d\.\d+e[+-]\d+|Infinity) [\d.e-]+ (ok|FAIL)$/;

describe('npm run golden', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lethe-golden-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A copy of a folder of vectors, that a test may spoil. */
  /** Without the pairs of ConceptPrune, which are swept by a fleet: one spec looks at those alone. */
  const copyOf = async (name: string): Promise<string> => {
    const copy = join(folder, name);
    const filter = (source: string): boolean => !basename(source).startsWith('conceptprune');
    await cp(join(vectors, name), copy, { recursive: true, filter });
    if (name === 'emoji-sd') await writeFile(join(copy, 'checkpoint.path'), resolve('checkpoint', 'emoji-sd'));
    return copy;
  };

  /** Turns one bit of the exponent of the first element of a tensor. */
  const alter = async (file: string, name: string): Promise<void> => {
    const { tensors } = await readSafetensors(file);
    const bytes = await readFile(file);
    const begin = tensors.get(name)?.begin ?? NaN;
    bytes[begin + 3]! ^= 0x01;
    await writeFile(file, bytes);
  };

  it('prints a line for each vector and the count alone on the last line', async () => {
    const { code, stdout } = await golden(await copyOf('primitives'));
    const lines = stdout.split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.pop()).toBe(`${lines.length} passed, 0 failed`);
    expect(lines.length).toBeGreaterThan(5);
    for (const each of lines) expect(each).toMatch(line);
    expect(code).toBe(0);
  });

  it('checks several directories and counts them together', async () => {
    const primitives = await copyOf('primitives');
    const { code, stdout } = await golden(primitives, primitives);
    const count = stdout.split('\n').filter((each) => each.endsWith(' ok')).length;
    expect(stdout.endsWith(`\n${count} passed, 0 failed\n`)).toBe(true);
    expect(count % 2).toBe(0);
    expect(code).toBe(0);
  });

  it('takes a relative path from where npm was called', async () => {
    await copyOf('primitives');
    const environment = { ...process.env, npm_lifecycle_event: 'golden', INIT_CWD: folder };
    const child = spawn(process.execPath, [mainFile, 'primitives'], { env: environment });
    child.stdout.resume();
    expect((await once(child, 'close'))[0]).toBe(0);
  });

  it('goes on when its reader has enough', async () => {
    const child = spawn(process.execPath, [mainFile, join(vectors, 'primitives')]);
    child.stdout.destroy();
    expect((await once(child, 'close'))[0]).toBe(0);
  });

  it('fails for one altered element of a random draw, and for it alone', async () => {
    const copy = await copyOf('primitives');
    const [name = ''] = [...(await readSafetensors(join(copy, 'primitives.safetensors'))).tensors.keys()].filter(
      (each) => each.startsWith('randn.'),
    );
    await alter(join(copy, 'primitives.safetensors'), name);
    const { code, stdout } = await golden(copy);
    expect(stdout.split('\n').filter((each) => each.endsWith('FAIL'))).toEqual([`${name} 1 0 FAIL`]);
    expect(stdout).toMatch(/\n\d+ passed, 1 failed\n$/);
    expect(code).toBe(1);
  });

  it.each(['text.hidden', 'unet.out_t501', 'vae.decoded', 'traj.ddim.latents', 'traj.pndm.image'])(
    'fails for one altered element of %s, and for it alone',
    async (name) => {
      const copy = await copyOf('sd15');
      await alter(join(copy, 'goldens.safetensors'), name);
      const { code, stdout } = await golden(copy);
      const failed = stdout.split('\n').filter((each) => each.endsWith('FAIL'));
      expect(failed.map((each) => each.split(' ')[0])).toEqual([name]);
      for (const each of stdout.trimEnd().split('\n').slice(0, -1)) expect(each).toMatch(line);
      expect(stdout).toMatch(/\n\d+ passed, 1 failed\n$/);
      expect(code).toBe(1);
    },
  );

  it('fails for one altered bit of a mask, and for its layer alone', async () => {
    await cp(join(vectors, 'sd15', 'checkpoint'), join(folder, 'checkpoint'), { recursive: true });
    for (const ending of ['json', 'safetensors'])
      await cp(join(vectors, 'sd15', `conceptprune-text.${ending}`), join(folder, `conceptprune-text.${ending}`));
    const file = join(folder, 'conceptprune-text.safetensors');
    const layer = 'text_model.encoder.layers.1.mlp.fc2';
    const { tensors } = await readSafetensors(file);
    const bytes = await readFile(file);
    bytes[tensors.get(`mask.${layer}`)?.begin ?? NaN]! ^= 0x01;
    await writeFile(file, bytes);
    const { code, stdout } = await golden(folder);
    const failed = stdout.split('\n').filter((each) => each.endsWith('FAIL'));
    expect(failed).toEqual([`conceptprune-text.${layer}.mask 1 0 FAIL`]);
    expect(stdout).toContain(`# conceptprune-text.${layer}.mask: 1023 equal, 0 tied, 1 wrong\n`);
    expect(code).toBe(1);
  });

  it('fails, and is not wrong usage, for timesteps that differ', async () => {
    const copy = await copyOf('sd15');
    const file = join(copy, 'goldens.json');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('876', '877'));
    const { code, stdout } = await golden(copy);
    expect(stdout).toMatch(/^traj\.pndm\.timesteps \S+ \S+ FAIL$/m);
    expect(code).toBe(1);
  });

  const broken: readonly { title: string; spoil: (folder: string) => Promise<unknown>; why: RegExp; of?: string }[] = [
    { title: 'nothing in it', spoil: (copy) => rm(copy, { recursive: true }).then(() => mkdir(copy)), why: /neither/ },
    { title: 'no such directory', spoil: (copy) => rm(copy, { recursive: true }), why: /ENOENT/ },
    { title: 'no goldens.json', spoil: (copy) => rm(join(copy, 'goldens.json')), why: /goldens\.json/ },
    { title: 'no checkpoint', spoil: (copy) => rm(join(copy, 'checkpoint.path')), why: /checkpoint/ },
    {
      title: 'a checkpoint that is elsewhere',
      spoil: (copy) => writeFile(join(copy, 'checkpoint.path'), 'nowhere\n'),
      why: /nowhere/,
    },
    {
      title: 'damaged vectors',
      spoil: (copy) => appendFile(join(copy, 'goldens.safetensors'), 'x'),
      why: /goldens\.safetensors/,
    },
    {
      title: 'vectors that lack one',
      spoil: (copy) => edit(join(copy, 'goldens.safetensors'), '"text.hidden"', '"text.hiddex"'),
      why: /text\.hidden/,
    },
    {
      title: 'a vector that no check knows',
      spoil: (copy) => edit(join(copy, 'goldens.safetensors'), '"unet.out_t501"', '"unet.out_t50x"'),
      why: /no check knows these vectors: .*unet\.out_t50x/,
      of: 'sd15',
    },
    {
      title: 'a scheduler without settings',
      spoil: (copy) => edit(join(copy, 'goldens.json'), '"pndm"', '"pndn"'),
      why: /pndm/,
      of: 'sd15',
    },
  ];

  it.each(broken)('exits with 2 and says why: $title', async ({ spoil, why, of = 'emoji-sd' }) => {
    const copy = await copyOf(of);
    await spoil(copy);
    const { code, stdout, stderr } = await golden(copy);
    expect(stderr).toMatch(why);
    expect(stderr).toMatch(/what to do: \S/);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).not.toMatch(/passed/);
    expect(code).toBe(2);
  });

  it('exits with 2 without a directory', async () => {
    const { code, stderr } = await golden();
    expect(stderr).toContain('npm run golden -- DIR');
    expect(code).toBe(2);
  });
});

/** Replaces a text by one of the same length, so that no offset changes. */
async function edit(file: string, from: string, to: string): Promise<void> {
  const bytes = await readFile(file);
  const at = bytes.indexOf(from);
  expect(at).toBeGreaterThan(0);
  expect(to).toHaveLength(from.length);
  bytes.write(to, at);
  await rename(file, `${file}.old`);
  await writeFile(file, bytes);
}
