import { spawn } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { said } from '../../cli/fleet.spec-support.ts';
import { cleanEnvironment, ended, lethe, mainFile } from '../../cli/run-command.spec-support.ts';
import { describeWithNats } from '../../shared/bus/test-server.spec-support.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { loadClipTokenizer } from '../../shared/model/tokenizer/clip-tokenizer.ts';
import { copyOfEmojiSd } from '../../worker/diffusion/emoji-sd.spec-support.ts';
import { campaignText, startFleet } from '../exact/sweep.spec-support.ts';
import type { Coordinator, Fleet } from '../fleet-processes/fleet.ts';
import { unetCalls, verdicts } from '../fleet-processes/stored.ts';

let fleet: Fleet;
let coordinator: Coordinator;
let folder: string;
/** A checkpoint of its own: nobody holds it who was not told to. */
let directory: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-checkpoint-'));
  directory = await copyOfEmojiSd();
  fleet = await startFleet();
  coordinator = await fleet.coordinator('c1');
});
afterEach(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true });
  await rm(directory, { recursive: true });
});

/** Overwrites the first number of the embedding of a word's first token. @param bits of a number in half precision */
async function poison(word: string, bits: number): Promise<void> {
  const { tokenizer, textEncoder } = await openCheckpoint(directory);
  const token = (await loadClipTokenizer(tokenizer)).encode(word).ids[1] ?? 0;
  const embedding = textEncoder.weights.tensors.get('text_model.embeddings.token_embedding.weight');
  expect(embedding).toMatchObject({ dtype: 'F16' });
  const width = embedding?.shape[1] ?? 0;
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(bits);
  const weights = await open(embedding?.file ?? '', 'r+');
  await weights.write(bytes, 0, 2, (embedding?.begin ?? 0) + 2 * width * token);
  await weights.close();
}

async function campaign(name = 'tiny', settings: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const file = join(folder, `${name}.yaml`);
  await writeFile(file, campaignText({ name, checkpoint: directory, ...settings }));
  return file;
}

const sweepArgs = (file: string, ...more: readonly string[]): readonly string[] => [
  'sweep',
  file,
  ...['--coordinator', coordinator.address, '--data', join(folder, 'data')],
  ...more,
];

await describeWithNats('a sweep', () => {
  it('waits for a worker that holds the checkpoint, names those that do not, and leaves them alone', async () => {
    // Another one than emoji-sd, which works as well.
    await poison('Poster', 0x211f);
    const id = await checkpointId(await openCheckpoint(directory));
    const file = await campaign();
    fleet.worker('w1', coordinator);
    await coordinator.process.logged(({ msg }) => msg === 'worker connected');
    const leftOut = [{ worker: 'w1', reason: `it does not hold checkpoint ${id}` }];

    const plan = await lethe(sweepArgs(file, '--plan'));
    expect(plan.code).toBe(0);
    expect(plan.stdout).toContain(`left out    w1: it does not hold checkpoint ${id}`);
    expect(plan.stdout).toMatch(/^warning {5}no worker is connected that can run it; it waits for one$/m);

    const sweep = spawn(process.execPath, [mainFile, ...sweepArgs(file, '--json')], { env: cleanEnvironment() });
    const end = ended(sweep);
    const goesOn = said(sweep, 'stderr', /"event":"goes-on"/);
    const told = await said(sweep, 'stderr', /"event":"waits".*\n/);
    const waits = told.split('\n').find((line) => line.includes('"event":"waits"'));
    expect(JSON.parse(waits ?? '')).toMatchObject({ waiting: { code: 'worker-missing' }, leftOut });
    const status = await lethe(['status', '--coordinator', coordinator.address]);
    expect(status.stdout).toMatch(/^tiny-\w+ +waits /m);
    expect(status.stdout).toContain(`no worker of coordinator c1 can run what is left: w1: ${leftOut[0]?.reason}`);
    expect(status.stdout).toContain(`start a worker with --checkpoint and the directory of checkpoint ${id}`);

    fleet.workerWith(directory, 'w2', coordinator);
    await goesOn;
    const { code, stdout } = await end;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ units: { failed: 0 } });
    const workers = (await verdicts(await fleet.bus())).map((verdict) => verdict.kind === 'result' && verdict.worker);
    expect(new Set(workers)).toEqual(new Set(['w2']));
    const after = JSON.parse((await lethe(sweepArgs(file, '--plan', '--json'))).stdout) as object;
    expect(after).toMatchObject({ leftOut, warnings: [], unetCalls: 0 });
  });

  it.each([
    ['NaN', 0x7e00],
    ['infinity', 0x7c00],
  ])('fails the concept whose prompts meet a weight that is %s, with layer and step, and no other', async (_, bits) => {
    await poison('Poster', bits);
    const file = await campaign();
    fleet.workerWith(directory, 'w1', coordinator);
    const first = await lethe(sweepArgs(file));
    expect(first.code).toBe(1);
    expect(first.stderr).toMatch(/^error: a layer was given a value that is not finite \[non-finite\]$/m);
    expect(first.stderr).toMatch(/^Neon: mask /m);
    expect(first.stderr).toMatch(/^Poster: failed$/m);

    const failure = { code: 'non-finite', layer: expect.stringMatching(/attentions/) as string, step: 0 };
    const bus = await fleet.bus();
    const stored = await verdicts(bus);
    const failed = stored.filter(({ kind }) => kind === 'failed');
    expect(failed).toContainEqual(
      expect.objectContaining({ site: 'ffn2', failure: expect.objectContaining(failure) as object }),
    );
    // It says nothing against the worker, and nobody tries again.
    expect(failed.map((verdict) => verdict.kind === 'failed' && verdict.attempts)).toEqual(failed.map(() => 1));
    const { workers } = JSON.parse(
      (await lethe(['workers', '--coordinator', coordinator.address, '--json'])).stdout,
    ) as { readonly workers: readonly object[] };
    expect(workers).toMatchObject([{ worker: 'w1', suspended: '' }]);

    // What is stored stays: the same command, and a campaign of the other concept, run nothing.
    const calls = await unetCalls(bus);
    const again = await lethe(sweepArgs(file, '--json'));
    expect(again.code).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({
      concepts: [
        { concept: 'Neon', mask: expect.any(String) as string },
        { concept: 'Poster', failure: { code: 'non-finite' } },
      ],
    });
    const [neon] = (JSON.parse(campaignText()) as { readonly concepts: readonly object[] }).concepts;
    const alone = await lethe(sweepArgs(await campaign('neon', { concepts: [neon] }), '--json'));
    expect(alone.code).toBe(0);
    expect(JSON.parse(alone.stdout)).toMatchObject({ unetCalls: { made: 0 }, concepts: [{ concept: 'Neon' }] });
    expect(await unetCalls(bus)).toBe(calls);
    expect(await verdicts(bus)).toEqual(stored);
  });
});
