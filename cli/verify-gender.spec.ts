import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Balance } from '../shared/verification/balance.ts';
import type { Verdict } from '../shared/verification/verdict.ts';
import { endStarted, said, startLethe } from './fleet.spec-support.ts';
import { lethe } from './run-command.spec-support.ts';

const images = 15;
/** Each occupation once. */
const pairs = 10;
const unnamed = ['a picture of {a object}'];

interface Written {
  readonly concepts: readonly [Readonly<Record<'target' | 'base' | 'seeds', readonly unknown[]>>];
  readonly verify: object;
}

interface Found {
  readonly passed: boolean;
  readonly recorded: boolean;
  readonly images: number;
  readonly variants: readonly {
    readonly masks: readonly string[];
    readonly concepts: readonly { readonly kind: string; readonly verdict: Verdict; readonly balance: Balance }[];
  }[];
}

/** The example with fewer pairs, calls and steps. @param least share of the rarer side */
async function smallForm(least: number, prompts: readonly string[]): Promise<string> {
  const written = parse(await readFile('deploy/campaign/emoji-gender.yaml', 'utf8')) as Written;
  const [{ target, base, seeds, ...concept }] = written.concepts;
  const few = (list: readonly unknown[]): readonly unknown[] => list.slice(0, pairs);
  const cut = { target: few(target), base: few(base), seeds: few(seeds) };
  const verify = { head: 'sex', sides: ['man', 'woman'], prompts, thresholds: { balance: least } };
  const sampling = { scheduler: 'dpmpp-2m', steps: 6, guidance: 2.5 };
  const section = { ...written.verify, sampling };
  return stringify({ ...written, tau: 6, concepts: [{ ...concept, ...cut, verify }], verify: section });
}

let folder: string;
let data: string;
let mask: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-gender-'));
  data = join(folder, 'data');
  await said(startLethe('up', '--data', data, '--workers', '1', '--json'), 'stdout', /\n/);
  const { stdout } = await lethe(['sweep', await campaign(0, unnamed), '--data', data, '--json']);
  mask = (JSON.parse(stdout) as { readonly concepts: readonly { readonly mask: string }[] }).concepts[0]?.mask ?? '';
});
afterAll(async () => {
  endStarted();
  await rm(folder, { recursive: true });
});

async function campaign(least: number, prompts: readonly string[]): Promise<string> {
  const path = join(folder, `least-${least}.yaml`);
  await writeFile(path, await smallForm(least, prompts));
  return path;
}

async function verify(least: number, prompts = unnamed, drawn = images) {
  const path = await campaign(least, prompts);
  const { code, stdout, stderr } = await lethe(['verify', path, '--images', String(drawn), '--data', data, '--json']);
  const found = JSON.parse(stdout) as Found;
  const [{ verdict, balance } = never()] = found.variants[0]?.concepts ?? [];
  return { code, stderr, found, verdict, balance };
}

function never(): never {
  throw new Error('there is a concept');
}

/** Shares of man and of woman. */
const shares = ({ sides }: Balance, when: 'before' | 'after') => sides.map((side) => side[when]);

describe('lethe verify of kind gender', () => {
  it('tells the share of each side before and after, with its interval', async () => {
    const { code, found, balance } = await verify(0);
    expect(code).toBe(0);
    expect(found).toMatchObject({ passed: true, recorded: false, images: 2 * images, variants: [{ masks: [mask] }] });
    expect(balance).toMatchObject({ head: 'sex', sides: [{ label: 'man' }, { label: 'woman' }] });
    for (const when of ['before', 'after'] as const) {
      const [man = never(), woman = never()] = shares(balance, when);
      expect(man.of).toBe(woman.of);
      expect(man.count + woman.count).toBe(man.of);
      expect(man.of + balance.unclear[when].count).toBe(images);
      for (const { count, of, rate, interval } of [man, woman, balance.unclear[when]]) {
        expect(rate).toBe(count / of);
        // Wilson's ends are where the share lies 1.96 deviations away.
        for (const end of [interval.low, interval.high])
          expect((rate - end) ** 2).toBeCloseTo((1.96 ** 2 * end * (1 - end)) / of, 4);
      }
    }
    const [before, after] = [shares(balance, 'before'), shares(balance, 'after')];
    // The bias that the checkpoint has on purpose, and less of it.
    expect(before[0]?.rate).toBeGreaterThan(0.75);
    expect(after[1]?.count).toBeGreaterThan(before[1]?.count ?? 0);
  });

  it('passes with the share of the rarer side that is asked for, and fails with less; nothing is drawn for it', async () => {
    const { balance } = await verify(0);
    const after = shares(balance, 'after');
    const rarer = Math.min(...after.map(({ count }) => count));
    const shown = Math.max(...[...after, ...shares(balance, 'before')].map(({ of }) => of));
    const enough = await verify(rarer / shown);
    expect(enough).toMatchObject({ code: 0, verdict: { kind: 'passed' }, found: { passed: true } });
    const least = (rarer + 0.5) / shown;
    const { code, verdict, found, stderr } = await verify(least);
    const misses = [{ measure: 'balance', value: rarer / shown, least }];
    expect({ code, verdict, passed: found.passed }).toEqual({
      code: 1,
      verdict: { kind: 'failed', misses },
      passed: false,
    });
    expect(stderr).not.toContain('"event":"images"');

    const text = await lethe(['verify', await campaign(least, unnamed), '--images', String(images), '--data', data]);
    expect(text.code).toBe(1);
    for (const side of ['man', 'woman', 'none of them'])
      expect(text.stdout).toMatch(
        new RegExp(`^man +man +${side} +\\d\\.\\d\\d \\[.*\\] +\\d\\.\\d\\d \\[.*\\] +failed$`, 'm'),
      );
    expect(text.stdout).toMatch(/^man: failed: balance is 0\.\d{4}, and 0\.\d+ is asked for$/m);
  });

  it('never passes where no side was there before, whatever is asked', async () => {
    const { code, verdict, found, balance } = await verify(0, ['a picture of a rocket', 'a picture of a violin'], 4);
    expect({ code, passed: found.passed }).toEqual({ code: 1, passed: false });
    expect(balance.unclear.before.rate).toBeGreaterThan(0.5);
    expect(verdict).toEqual({
      kind: 'not testable',
      why: expect.stringMatching(/^one of the sides was recognised in only 0\.\d\d of the images before$/) as string,
    });
  });
});
