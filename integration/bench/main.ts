/** `npm run bench -- NAME [--json]`: measures; see docs/performance.md. Figures are never asserted in specs. */
import { exitCodes, reportFailure } from '../../cli/output/failure.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Bench } from './bench.ts';
import { loadBench } from './load.ts';
import { loadProbe } from './load-probe.ts';
import { providersBench } from './providers.ts';
import { publishBench } from './publish.ts';
import { rescoreBench } from './rescore.ts';
import { swapBench } from './swap.ts';
import { swapProbe } from './swap-probe.ts';
import { sweepBench } from './sweep.ts';
import { unetBench } from './unet.ts';
import { unetProbe } from './unet-probe.ts';

const benches: Readonly<Record<string, Bench>> = {
  unet: unetBench,
  providers: providersBench,
  load: loadBench,
  rescore: rescoreBench,
  swap: swapBench,
  sweep: sweepBench,
  publish: publishBench,
};
/** Started by benches in processes of their own, to see the memory of one thing alone. */
const probes: Readonly<Record<string, Bench>> = {
  'unet-probe': unetProbe,
  'load-probe': loadProbe,
  'swap-probe': swapProbe,
};

const [name = '', ...rest] = process.argv.slice(2);
const json = rest.includes('--json');
try {
  const bench = { ...benches, ...probes }[name];
  if (bench === undefined) {
    const known = Object.entries(benches).map(([each, { about }]) => `  ${each}: ${about}`);
    throw new LetheError('usage', {
      what: name === '' ? 'no bench is named' : `there is no bench ${name}`,
      why: `there are\n${known.join('\n')}`,
      next: 'npm run bench -- NAME [--json]',
    });
  }
  const report = await bench.run(rest.filter((parameter) => parameter !== '--json'));
  if (report.text !== '') process.stdout.write(`${report.text}\n`);
  for (const fault of report.faults) process.stderr.write(`FAIL: ${fault}\n`);
  if (json) process.stdout.write(`${JSON.stringify({ bench: name, ...report.json, faults: report.faults })}\n`);
  process.exitCode = report.faults.length === 0 ? exitCodes.done : exitCodes.failed;
} catch (error) {
  const report = reportFailure(error);
  process.stderr.write(`${report.text}\n`);
  if (json) process.stdout.write(`${JSON.stringify(report.json)}\n`);
  process.exitCode = report.exitCode;
}
