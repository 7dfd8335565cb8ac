import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endStarted, processesWith, said, startLethe, tinyCampaign } from './fleet.spec-support.ts';
import { ended, lethe } from './run-command.spec-support.ts';

let folder: string;
let data: string;
let campaign: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-sweep-'));
  data = join(folder, 'data');
  campaign = join(folder, 'tiny.yaml');
  await writeFile(campaign, tinyCampaign);
});
afterAll(async () => {
  endStarted();
  await rm(folder, { recursive: true });
});

const calls = { total: 12, reference: 408 };
const sites = [
  { site: 'ffn2', layers: 7 },
  { site: 'attn-value', layers: 7 },
];
const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string;

describe('lethe sweep', () => {
  it('refuses a bad campaign before anything starts, all problems with their places', async () => {
    const bad = join(folder, 'bad.yaml');
    await writeFile(
      bad,
      'name: bad\nwindow: 20\nsead: 1\nconcepts:\n  - { name: a, kind: colour, things: none, phrase: x }\n  - { name: a, kind: style }\n',
    );
    const { code, stdout, stderr } = await lethe(['sweep', bad, '--data', data]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: .+ \[campaign-invalid\]$/m);
    expect(stderr).toContain(`where: ${bad}`);
    const problems = [
      /2:9 window: /,
      /3:1 sead: .*did you mean seed\?/,
      /5:22 concepts\[0\]\.kind: /,
      /6:\d+ concepts\[1\]/,
    ];
    for (const problem of problems) expect(stderr).toMatch(problem);
    const asked = await lethe(['sweep', bad, '--data', data, '--plan', '--json']);
    expect(asked.code).toBe(2);
    const { error } = JSON.parse(asked.stdout) as { readonly error: { readonly code: string; readonly why: string } };
    expect(error.code).toBe('campaign-invalid');
    for (const problem of problems) expect(error.why).toMatch(problem);
    expect(await lethe(['sweep', join(folder, 'none.yaml')])).toMatchObject({ code: 2 });
    expect(await readdir(folder)).not.toContain('data');
  });

  it('needs no fleet to plan, and refuses what a fleet would before one is started', async () => {
    const without = { LETHE_NATS_SERVER: join(folder, 'no-nats-server') };
    const plan = await lethe(['sweep', campaign, '--data', data, '--plan', '--json'], without);
    expect(JSON.parse(plan.stdout)).toMatchObject({ done: 0, unetCalls: 12, referenceUnetCalls: 408, warnings: [] });
    const nowhere = join(folder, 'nowhere.yaml');
    await writeFile(nowhere, tinyCampaign.replace('\n', '\ncheckpoint: /nope/x\n'));
    for (const command of ['sweep', 'verify'] as const)
      expect(await lethe([command, nowhere, '--data', data], without)).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
          /\[checkpoint-layout\]\n {2}where: .*nowhere\.yaml:2:13 checkpoint: \/nope\/x/,
        ) as string,
      });
    expect(await readdir(folder)).not.toContain('data');
  });

  it('says what to install where there is no nats-server', async () => {
    const { code, stderr } = await lethe(['sweep', campaign, '--data', data], {
      LETHE_NATS_SERVER: join(folder, 'no-nats-server'),
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ {2}what to do: install nats-server .*LETHE_NATS_SERVER to its path$/m);
  });

  it('plans, makes the masks, and makes no call again', async () => {
    const plan = await lethe(['sweep', campaign, '--data', data, '--plan', '--json']);
    expect(JSON.parse(plan.stdout)).toMatchObject({ done: 0, unetCalls: 12, referenceUnetCalls: 408 });

    const first = await lethe(['sweep', campaign, '--data', data, '--json']);
    expect(first.code).toBe(0);
    const made = JSON.parse(first.stdout) as object;
    expect(made).toMatchObject({
      unetCalls: { ...calls, made: 12 },
      concepts: [
        { concept: 'Neon', mask: hash, sites },
        { concept: 'Poster', mask: hash, sites },
      ],
    });
    const events = first.stderr.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as object]));
    expect(events).toContainEqual(expect.objectContaining({ event: 'mask', concept: 'Neon', mask: hash }));

    const again = await lethe(['sweep', campaign, '--data', data, '--json', '--workers', '1']);
    const { concepts } = made as { readonly concepts: unknown };
    expect(JSON.parse(again.stdout)).toMatchObject({ unetCalls: { ...calls, made: 0 }, concepts });
    const ask = ['sweep', campaign, '--data', data, '--plan', '--json'];
    expect(JSON.parse((await lethe(ask)).stdout)).toMatchObject({ unetCalls: 0, totalUnetCalls: 12 });
    const alone = await lethe(ask, { LETHE_NATS_SERVER: join(folder, 'no-nats-server') });
    expect(JSON.parse(alone.stdout)).toMatchObject({
      unetCalls: 12,
      warnings: [expect.stringContaining('what is stored in') as string],
    });
    const text = await lethe(['sweep', campaign, '--data', data, '--apply']);
    expect(text.stdout).toMatch(/^active {6}version 1: Neon, Poster$/m);
    expect(text.stdout).toMatch(/^UNet calls {2}0 made now, 12 in all; the reference makes 408, 34.0 times as many$/m);
    expect(await processesWith(data)).toEqual([]);
  });

  it('leaves masks that can be listed, shown, compared and applied to images, without a fleet', async () => {
    const { masks } = JSON.parse((await lethe(['masks', '--data', data, '--json'])).stdout) as {
      readonly masks: readonly { readonly hash: string; readonly concept: string }[];
    };
    expect(masks.map(({ concept }) => concept).sort()).toEqual(['Neon', 'Poster']);
    const shown = await lethe(['show', masks[0]?.hash.slice(0, 8) ?? '', '--data', data]);
    expect(shown.stdout).toContain(masks[0]?.hash);
    const same = JSON.parse((await lethe(['diff', 'Neon', 'Neon', '--data', data, '--json'])).stdout) as object;
    expect(same).toMatchObject({ onlyFirst: 0, onlySecond: 0, jaccard: 1 });
    expect((await lethe(['diff', 'Neon', 'Poster', '--data', data])).stdout).toMatch(/^both [\d,]+, only a /m);
    expect(await lethe(['show', 'Klimt', '--data', data])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[mask-missing]') as string,
    });

    const out = join(folder, 'compared.png');
    const images = ['--prompt', 'a cat', '--steps', '2', '--scheduler', 'euler', '--out', out];
    const run = ['generate', '--data', data, '--mask', 'Neon', 'Poster', ...images, '--json'];
    expect(JSON.parse((await lethe([...run, '--compare'])).stdout)).toMatchObject({
      images: [{ masks: [] }, { masks: [hash] }, { masks: [hash] }],
    });
    expect(JSON.parse((await lethe(run)).stdout)).toMatchObject({ images: [{ masks: [hash, hash] }] });
  });

  it('ends its fleet at Ctrl-C and goes on from there; a cancelled campaign goes on as well', async () => {
    const longer = join(folder, 'longer.yaml');
    await writeFile(longer, tinyCampaign.replace('tau: 2', 'tau: 20\nbatch: 1'));
    const child = startLethe('sweep', longer, '--data', data, '--workers', '1');
    const end = ended(child);
    await said(child, 'stderr', /[1-9]\d*\/\d+ units/);
    child.kill('SIGINT');
    expect(await end).toMatchObject({ code: 130, stdout: '' });
    expect(await processesWith(data)).toEqual([]);

    const cancel = await lethe(['sweep', longer, '--data', data, '--cancel', '--reason', 'a spec says so']);
    expect(cancel).toMatchObject({ code: 0, stdout: expect.stringMatching(/ is cancelled/) as string });
    const resumed = await lethe(['sweep', longer, '--data', data, '--json']);
    expect(resumed.code).toBe(0);
    const { unetCalls } = JSON.parse(resumed.stdout) as { readonly unetCalls: { readonly made: number } };
    expect(unetCalls.made).toBeLessThan(120);
  });
});
