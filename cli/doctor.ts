import { Command } from 'commander';
import { doctorChecks, type Check } from './doctor-checks.ts';
import * as options from './options.ts';
import { exitCodes } from './output/failure.ts';
import type { Provider } from '../worker/session/provider.ts';
import { escaped } from './output/escape.ts';
import { print, printJson } from './output/print.ts';

interface DoctorOptions {
  readonly checkpoint?: string;
  readonly provider: Provider;
  readonly threads: number;
  readonly json?: boolean;
}

const marks: Readonly<Record<Check['state'], string>> = { ok: 'ok  ', warning: 'note', failed: 'FAIL' };

export function doctorCommand(): Command {
  return new Command('doctor')
    .addOption(options.checkpointOption())
    .addOption(options.providerOption())
    .addOption(options.threadsOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      '\nExit code 1 if a check fails.\n\nExample:\n  $ lethe doctor --checkpoint ./stable-diffusion-v1-5',
    )
    .action(async (given: DoctorOptions) => {
      const checks: Check[] = [];
      for await (const check of doctorChecks(given.checkpoint, given)) {
        checks.push(check);
        if (given.json === true) continue;
        print(escaped(`${marks[check.state]}  ${check.name}: ${check.found}`));
        if (check.next !== undefined) print(escaped(`      what to do: ${check.next}`));
      }
      if (given.json === true) printJson({ checks });
      if (checks.some((check) => check.state === 'failed')) process.exitCode = exitCodes.failed;
    });
}
