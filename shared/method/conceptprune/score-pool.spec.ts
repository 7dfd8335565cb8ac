import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDirectory, refusal, safetensorsFile } from '../../checkpoint/fixture.spec-support.ts';
import { readSafetensors } from '../../checkpoint/read-safetensors.ts';
import { joinParts, partsOf, score, type ScoreJob } from './score-job.ts';
import type { LayerSelection } from './score-layer.ts';
import { ScorePool } from './score-pool.ts';

const [out, columns] = [2500, 900];

/** Comparing large arrays by element takes the runner seconds. */
const hashOf = (selections: readonly LayerSelection[]) => {
  const hash = createHash('sha256');
  for (const { union, steps } of selections)
    for (const { rows, columns: each, bytes } of [union, ...steps]) hash.update(`${rows} ${each} `).update(bytes);
  return hash.digest('hex');
};

describe('ScorePool', () => {
  let directory: string;
  let jobs: readonly ScoreJob[];
  beforeAll(async () => {
    directory = await newDirectory();
    const path = join(directory, 'w.safetensors');
    const halves = Uint16Array.from({ length: out * columns }, (_, i) => (i * 40503) % 0x7c00);
    const data = new Uint8Array(halves.buffer);
    const wide = new Uint8Array(Float32Array.from(halves, (value) => value).buffer);
    await writeFile(
      path,
      safetensorsFile([
        { name: 'half', dtype: 'F16', shape: [out, columns], data },
        { name: 'full', dtype: 'F32', shape: [out, columns], data: wide },
        { name: 'brain', dtype: 'BF16', shape: [out, columns], data },
        { name: 'integers', dtype: 'I16', shape: [out, columns], data },
      ]),
    );
    const norms = (seed: number) =>
      Array.from({ length: 3 }, (_, step) =>
        Float32Array.from({ length: columns }, (__, i) => ((i * seed + step) % 97) + 1),
      );
    const file = await readSafetensors(path);
    jobs = [...file.tensors.values()].map((weight) => ({
      file: path,
      weight,
      norms: { base: norms(5), target: norms(7) },
      settings: { skillRatio: 0.01, selection: 'reference', margin: 1, selectRatio: 0.5 },
    }));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('gives what one thread gives on whole layers, in the order of the jobs, however many threads', async () => {
    const floats = jobs.slice(0, 3);
    expect(partsOf(floats[0]!).length).toBeGreaterThan(2);
    const expected = await Promise.all(floats.map(score));
    expect(expected.every(({ union }) => union.bytes.some((byte) => byte !== 0))).toBe(true);
    for (const threads of [1, 3]) {
      const pool = new ScorePool(threads);
      pool.start();
      expect(hashOf(await pool.score(floats))).toBe(hashOf(expected));
      await pool.close();
    }
    const parts = await Promise.all(partsOf(floats[0]!).map(score));
    expect(hashOf([joinParts(parts)])).toBe(hashOf(expected.slice(0, 1)));
  });

  it('reports a layer that cannot be scored, and goes on with others', async () => {
    const pool = new ScorePool(2);
    expect(await refusal(() => pool.score(jobs.slice(3)))).toMatch(/^tensor-mismatch: .*"integers".*it is I16/);
    const gone = { ...jobs[0]!, file: join(directory, 'gone.safetensors') };
    expect(await refusal(() => pool.score([gone]))).toMatch(/^safetensors-invalid: .*gone\.safetensors/);
    expect(await pool.score(jobs.slice(0, 1))).toHaveLength(1);
    await pool.close();
  });

  it('fails what waits when it is closed', async () => {
    const pool = new ScorePool(1);
    const waiting = refusal(() => pool.score(jobs.slice(0, 2)));
    await pool.close();
    expect(await waiting).toMatch(/^scoring-failed: /);
    expect(await refusal(() => pool.score(jobs.slice(0, 1)))).toMatch(/^scoring-failed: .*closed/);
  });
});
