import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { readSafetensors } from '../../shared/checkpoint/read-safetensors.ts';
import { encodeSafetensors } from '../../shared/checkpoint/write-safetensors.ts';
import type { ScoreJob } from '../../shared/method/conceptprune/score-job.ts';
import { ScorePool } from '../../shared/method/conceptprune/score-pool.ts';
import type { LayerSettings } from '../../shared/method/conceptprune/settings.ts';

import type { Bench } from './bench.ts';

/** [out, in] of SD 1.5's ff.net.2: 49.5 million weights. */
const shapes = [
  ...Array.from({ length: 5 }, () => [320, 1280] as const),
  ...Array.from({ length: 5 }, () => [640, 2560] as const),
  ...Array.from({ length: 6 }, () => [1280, 5120] as const),
];
const steps = 10;

/** The bound, on 2 cores. */
const limitSeconds = 1.5;

/**
 * Seconds that scoring one concept again takes, from stored norms and the checkpoint's file to masks of every step and
 * their union: SD 1.5's ffn2 shapes, τ = 10, weights in fp32. The median of five runs, after one that starts the threads.
 */
export const rescoreBench: Bench = {
  about: 'scoring one concept again from stored norms: no forward pass',
  async run() {
    const threads = 2;
    const seconds = await rescoreSeconds(threads, 5);
    const middle = seconds[seconds.length >> 1] ?? NaN;
    const weights = shapes.reduce((sum, [out, columns]) => sum + out * columns, 0);
    const nanoseconds = (middle * 1e9 * threads) / (weights * steps);
    return {
      text: [
        `${(weights / 1e6).toFixed(1)} M weights × ${steps} steps, ${threads} threads: ${middle.toFixed(2)} s`,
        `(median of ${seconds.length}; best ${(seconds[0] ?? NaN).toFixed(2)} s; ${nanoseconds.toFixed(1)} ns a score and thread; bound ${limitSeconds} s)`,
      ].join('\n'),
      json: { rescoreSeconds: middle, bestSeconds: seconds[0], threads, weights, steps },
      faults: [],
    };
  },
};

/** Seconds of each run, in rising order. */
async function rescoreSeconds(threads: number, runs: number): Promise<readonly number[]> {
  const directory = await mkdtemp(join(tmpdir(), 'lethe-rescore-'));
  const pool = new ScorePool(threads);
  try {
    const jobs = await syntheticJobs(join(directory, 'weights.safetensors'));
    const seconds: number[] = [];
    for (let run = 0; run <= runs; run++) {
      const begin = performance.now();
      await pool.score(jobs);
      seconds.push((performance.now() - begin) / 1000);
    }
    return seconds.slice(1).sort((a, b) => a - b);
  } finally {
    await pool.close();
    await rm(directory, { recursive: true });
  }
}

async function syntheticJobs(path: string): Promise<readonly ScoreJob[]> {
  const normal = normals();
  const tensors = shapes.map(([out, columns], i) => {
    const data = new Float32Array(out * columns);
    for (let j = 0; j < data.length; j++) data[j] = normal() / Math.sqrt(columns);
    return { name: `layer.${i}`, shape: [out, columns], data };
  });
  await writeFile(path, encodeSafetensors(tensors, {}));
  const { tensors: entries } = await readSafetensors(path);
  const settings: LayerSettings = { skillRatio: 0.01, selection: 'reference', margin: 1, selectRatio: 0 };
  return [...entries.values()].map((weight) => {
    const columns = weight.shape[1] ?? 0;
    // Norms keep their pattern from step to step, and the target's differ from the base's by some percent.
    const pattern = Float32Array.from({ length: columns }, () => Math.exp(0.7 * normal()));
    const vary = (norms: Float32Array, by: number) => norms.map((norm) => norm * Math.exp(by * normal()));
    const base = Array.from({ length: steps }, () => vary(pattern, 0.1));
    return { file: path, weight, norms: { base, target: base.map((norms) => vary(norms, 0.05)) }, settings };
  });
}

/** Normal numbers, the same in every run: Box-Muller over a linear congruential generator. */
function normals(): () => number {
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
