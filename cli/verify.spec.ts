import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endStarted, processesWith, said, startLethe, tinyCampaign } from './fleet.spec-support.ts';
import { ended, lethe } from './run-command.spec-support.ts';

/** Four steps and a few images: every part is there, and the numbers say little. */
const section = `verify:
  prompts: ["a picture of {a object} in the style of {style}"]
  labels: { object: { only: [cat, bus, rocket, owl] } }
  images: 4
  alternative_images: 1
  sampling: { steps: 4, guidance: 2.5 }
  present: 0.01
  thresholds: { ua: 0, ira: 0, cra: 0 }
`;
const alternatives = '{ misspelt: [a cat in the style of Noen], rephrased: [a glowing bus] }';
const campaignText =
  tinyCampaign.replace('of Neon }', `of Neon, verify: { alternatives: ${alternatives} } }`) + section;

let folder: string;
let data: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-verify-'));
  data = join(folder, 'data');
});
afterAll(async () => {
  endStarted();
  await rm(folder, { recursive: true });
});

async function campaign(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
const rate = (of: number): unknown => expect.objectContaining({ of }) as unknown;

describe('lethe verify', () => {
  it('refuses what it cannot verify before a fleet is started', async () => {
    const refused = async (text: string): Promise<string> => {
      const { code, stdout, stderr } = await lethe(['verify', await campaign('bad.yaml', text), '--data', data]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).not.toContain('starting a fleet');
      return stderr;
    };
    expect(await refused(tinyCampaign)).toMatch(/verify\n {2}why: it is missing/);
    expect(await refused(campaignText.replace('images: 4', 'image: 4'))).toMatch(
      /verify\.image: .*did you mean images/,
    );
    expect(await refused(campaignText.replace('[cat, bus', '[cats, bus'))).toMatch(
      /no label "cats"; did you mean cat\?/,
    );
    expect(await refused(campaignText.replace('{style}', '{mood}'))).toMatch(/the classifier has no head "mood"/);
    const classifier = campaignText.replace('  images: 4', '  images: 4\n  classifier: none.json');
    expect(await refused(classifier)).toContain(join(folder, 'none.json'));
    // The sweep's own prompts, from its own seed.
    const same = campaignText.replace('  images: 4', '  images: 4\n  seed: 0');
    const overlap = same.replace(
      'things: [a picture of a cat,',
      'things: [a picture of a cat in the style of Twemoji,',
    );
    expect(await refused(overlap)).toMatch(/test images are what the sweep has used.* from seed 0/s);
    // The images that masks were chosen by.
    const tuned = `${campaignText.replace('  images: 4', '  images: 4\n  seed: 7000')}tune: { images: 4, seed: 7000 }\n`;
    expect(await refused(tuned)).toMatch(/test images are what tuning has used.* from seed 70\d\d/s);
  });

  it('measures each mask alone and all together, draws nothing twice, and records what came of it', async () => {
    const path = await campaign('tiny.yaml', campaignText);
    const first = await lethe(['verify', path, '--data', data, '--workers', '1', '--json']);
    expect(first.code).toBe(0);
    const events = first.stderr.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as object]));
    expect(events).toContainEqual(expect.objectContaining({ event: 'mask', concept: 'Neon', mask: hash }));
    expect(events.at(-1)).toMatchObject({ event: 'images', stored: 0 });
    const found = JSON.parse(first.stdout) as Readonly<Record<string, unknown>>;
    const concept = (name: string): object => ({
      concept: name,
      kind: 'style',
      verdict: { kind: 'passed' },
      erasure: { target: { head: 'style', label: name }, ua: rate(4), before: rate(4) },
    });
    const other = (kind: string): object => ({ kind, prompts: 1, before: rate(1), erased: rate(1) });
    expect(found).toMatchObject({
      passed: true,
      recorded: true,
      // Four objects in each of two styles; the sweep has cat and bus in both.
      sweptPrompts: { targets: { prompts: 8, swept: 4 } },
      variants: [
        {
          title: 'Neon',
          masks: [hash],
          concepts: [{ ...concept('Neon'), alternatives: [other('misspelt'), other('rephrased')] }],
        },
        { title: 'Poster', masks: [hash], concepts: [concept('Poster')] },
        { title: 'together', masks: [hash, hash], concepts: [concept('Neon'), concept('Poster')] },
      ],
    });

    const again = await lethe(['verify', path, '--data', data, '--workers', '1', '--json']);
    expect(again.stderr).not.toContain('"event":"images"');
    expect(JSON.parse(again.stdout)).toEqual(found);

    const strict = await campaign('strict.yaml', campaignText.replace('ua: 0, ira: 0', 'ua: 1, ira: 9'));
    const text = await lethe(['verify', strict, '--data', data, '--workers', '1', '--masks', 'Neon']);
    expect(text.code).toBe(1);
    expect(text.stdout).toMatch(/^masks +concept +before +UA +IRA +CRA +worst kept +distance +verdict$/m);
    expect(text.stdout).toMatch(/^Neon: failed: .*ira is .*, and 9 is asked for/m);
    expect(text.stdout).not.toContain('together');
  });

  it('records nothing of fewer images than the campaign asks for, so that masks are not applied for it', async () => {
    const path = await campaign('tiny.yaml', campaignText);
    const own = join(folder, 'fleet');
    const fleet = startLethe('up', '--data', own, '--workers', '1', '--json');
    const end = ended(fleet);
    await said(fleet, 'stdout', /\n/);
    const verify = ['verify', path, '--data', own, '--json'];
    const few = await lethe([...verify, '--images', '2']);
    expect(JSON.parse(few.stdout)).toMatchObject({ recorded: false });
    expect(few.stderr).toMatch(/not recorded, .*the campaign asks for 4 images, and --images is 2/);
    const apply = ['apply', 'Neon', '--reason', 'a spec says so', '--data', own];
    expect(await lethe(apply)).toMatchObject({ stderr: expect.stringContaining('[mask-unverified]') as string });
    expect(JSON.parse((await lethe(verify)).stdout)).toMatchObject({ passed: true, recorded: true });
    expect(await lethe(apply)).toMatchObject({ code: 0 });
    fleet.kill('SIGINT');
    await end;
  });

  it('goes on through the death of its coordinator while masks are made', async () => {
    const longer = await campaign('longer.yaml', campaignText.replace('tau: 2', 'tau: 20\nbatch: 1'));
    const own = join(folder, 'killed');
    const child = startLethe('verify', longer, '--data', own, '--workers', '1');
    const end = ended(child);
    await said(child, 'stderr', /\d+\/\d+ units/);
    const { coordinator } = JSON.parse(await readFile(join(own, 'fleet.json'), 'utf8')) as { coordinator: string };
    const [pid = 0, ...others] = await processesWith(`--listen ${coordinator}`);
    expect(others).toEqual([]);
    process.kill(pid, 'SIGKILL');
    const { code, stderr } = await end;
    expect(stderr).toMatch(/does not answer; waiting for it/);
    expect(code).toBe(0);
  });

  it('never passes what was not there before', async () => {
    const absent = campaignText.replace('present: 0.01', 'present: 1').replace(/ {2}labels: .*\n/, '');
    const path = await campaign('absent.yaml', absent.replace('steps: 4', 'steps: 1'));
    const { code, stdout } = await lethe(['verify', path, '--data', data, '--workers', '1', '--masks', 'Neon']);
    expect(stdout).toMatch(/Neon: not testable: it was recognised in \d of 4 images before/);
    expect(code).toBe(1);
  });

  it('takes no mask that nobody has, or that erases nothing of the campaign', async () => {
    const path = resolve(await campaign('tiny.yaml', campaignText));
    const run = (mask: string) => lethe(['verify', path, '--data', data, '--workers', '1', '--masks', mask]);
    expect(await run('Klimt')).toMatchObject({ code: 2, stderr: expect.stringContaining('[mask-missing]') as string });
    const renamed = await campaign('renamed.yaml', campaignText.replaceAll('Neon', 'Ink'));
    const other = await lethe(['verify', renamed, '--data', data, '--workers', '1', '--masks', 'Neon']);
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('[mask-mismatch]') as string });
  });
});
