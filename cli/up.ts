import { Command, Option } from 'commander';
import { emojiSdDirectory } from './default-checkpoint.ts';
import { dataOption, fleetSettings } from './fleet/fleet-settings.ts';
import { stopSignals } from './launcher/stop-signals.ts';
import { startDetached } from './launcher/detached-fleet.ts';
import { startLocalFleet } from './launcher/local-fleet.ts';
import * as options from './options.ts';
import { escaped } from './output/escape.ts';
import { printJson, printResult, tell, tellLine } from './output/print.ts';

interface UpOptions {
  readonly workers: number;
  readonly data?: string;
  readonly checkpoint: readonly string[];
  readonly port: number;
  readonly metricsPort?: number;
  readonly detach?: boolean;
  readonly json?: boolean;
}

export function upCommand(): Command {
  return new Command('up')
    .addOption(workersOption())
    .addOption(dataOption())
    .addOption(
      new Option('--checkpoint <dir,...>', 'checkpoints that its workers hold (default: emoji-sd)')
        .argParser((text: string) => text.split(',').filter((each) => each !== ''))
        .default([emojiSdDirectory], 'emoji-sd')
        .env('LETHE_CHECKPOINT'),
    )
    .addOption(
      new Option('--port <n>', "the coordinator's port (default: any free one)")
        .argParser(options.integer(0, 65535))
        .default(0, 'any'),
    )
    .addOption(
      new Option(
        '--metrics-port <n>',
        "port of the coordinator's /metrics on loopback; its workers have the next ones",
      ).argParser(options.integer(1, 65535)),
    )
    .option('--detach', 'return when it is ready; `lethe down` ends it, `lethe logs` shows what it says')
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
Other commands find it through its folder. Ctrl-C lets workers finish or hand back what they run; a second one ends at once.
What is stored stays, and the next start goes on from it.

Example:
  $ lethe up --workers 4 --checkpoint /models/stable-diffusion-v1-5`,
    )
    .action(async (given: UpOptions) => {
      const { data } = await fleetSettings(given);
      const { workers, checkpoint: checkpoints, port, metricsPort } = given;
      if (given.detach === true) return upDetached(given, data);
      const setup = { data, workers, checkpoints, port, metricsPort, environment: process.env };
      const signals = stopSignals();
      try {
        const starting = startLocalFleet(setup, tellLine);
        const fleet = await starting;
        signals.onSecond(() => {
          fleet.kill();
        });
        const { address } = fleet;
        const text = `coordinator ${address}, ${workers} worker${workers === 1 ? '' : 's'}, data in ${escaped(data)}; Ctrl-C ends it`;
        printResult(given, { coordinator: address, workers, data, pid: process.pid, metricsPort }, text);
        try {
          await Promise.race([signals.first, fleet.failed]);
        } finally {
          tellLine('draining');
          await fleet.stop();
        }
      } finally {
        signals.release();
      }
    });
}

/** Starts it in a process of its own. What keeps that from starting is told as it told it. */
async function upDetached(given: UpOptions, data: string): Promise<void> {
  const { workers, checkpoint, port, metricsPort } = given;
  const metrics = metricsPort === undefined ? [] : ['--metrics-port', String(metricsPort)];
  const places = ['--data', data, '--checkpoint', checkpoint.join(','), '--port', String(port)];
  const signals = stopSignals();
  try {
    const start = await startDetached(data, ['--workers', String(workers), ...places, ...metrics], signals.signal);
    if (start.kind === 'ready') {
      const fleet = JSON.parse(start.result) as { readonly coordinator: string; readonly pid: number };
      const text = `coordinator ${fleet.coordinator}, workers: ${workers}, data in ${escaped(data)}, process ${fleet.pid}; \`lethe down\` ends it`;
      printResult(given, fleet, text);
      return;
    }
    tell(start.told);
    if (given.json === true && start.result !== '') printJson(JSON.parse(start.result));
    process.exitCode = start.code;
  } finally {
    signals.release();
  }
}

export const workersOption = (): Option =>
  new Option('--workers <n>', 'worker processes, one thread each')
    .argParser(options.integer(1, 1024))
    .default(2)
    .env('LETHE_WORKERS');
