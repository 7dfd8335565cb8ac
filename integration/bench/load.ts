import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { table } from '../../cli/output/table.ts';
import type { Bench } from './bench.ts';
import { figure, mebibytes, probe } from './memory.ts';
import { sd15Config, writeRandomWeights } from './synthetic-unet.ts';

/** `load [--sd15]`: how long models take to load, and in how much memory. */
export const loadBench: Bench = {
  about:
    'loading the models of emoji-sd; --sd15: also a UNet of the size of Stable Diffusion 1.5, random weights in /tmp',
  async run(parameters) {
    const loaded: Record<string, Readonly<Record<string, unknown>>> = {};
    loaded['emoji-sd, three models'] = await probe('load-probe', 'emoji-sd');
    if (parameters.includes('--sd15')) {
      const folder = await mkdtemp(join(tmpdir(), 'lethe-bench-'));
      try {
        const file = join(folder, 'unet.safetensors');
        const count = await writeRandomWeights(file, sd15Config);
        const name = `SD 1.5-size UNet, ${Math.round(count / 1e6)} M fp16`;
        loaded[name] = await probe('load-probe', file);
      } finally {
        await rm(folder, { recursive: true });
      }
    }
    const rows = Object.entries(loaded).map(([name, report]) => [
      name,
      Number(figure(report, 'buildSeconds').toFixed(2)),
      Number(figure(report, 'loadSeconds').toFixed(2)),
      mebibytes(figure(report, 'startResident')),
      mebibytes(figure(report, 'peakResident')),
      mebibytes(figure(report, 'residentAfter')),
      mebibytes(figure(report, 'javascript')),
    ]);
    const heading = ['models', 'graph s', 'load s', 'MiB at start', 'peak MiB', 'MiB after close', 'JavaScript MiB'];
    const note =
      'A process each. Peak: the most that was resident, mapped files included. JavaScript: heap and buffers with the models loaded.';
    return { text: `${table([heading, ...rows])}\n${note}`, json: { loaded }, faults: [] };
  },
};
