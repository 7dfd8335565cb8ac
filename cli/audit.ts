import { Command, Option } from 'commander';
import { LetheError } from '../shared/error/lethe-error.ts';
import { checkLog, emptyLog } from './fleet/check-log.ts';
import { activeOf, checkpointIdOption } from './fleet/find-checkpoint.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import { isThere } from './keys/key-folder.ts';
import { keysOf } from './keys/keys-options.ts';
import * as options from './options.ts';
import { faultsOf, printAudit } from './output/audit-text.ts';
import { exitCodes, reportFailure } from './output/failure.ts';
import { type ListOptions, outputOption } from './output/list.ts';
import { tell } from './output/print.ts';

interface AuditOptions extends FleetOptions, ListOptions {
  readonly checkpoint?: string;
  readonly trustList?: string;
}

export function auditCommand(): Command {
  return new Command('audit')
    .addOption(checkpointIdOption())
    .addOption(
      new Option(
        '--trust-list <file>',
        "keys whose signatures count (default: the local fleet's, else the coordinator's)",
      ).env('LETHE_TRUST_LIST'),
    )
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(outputOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
Checked here, from the bytes: every record is signed by a trusted key and names the hash of the one before it, versions grow,
and the manifest that is published is the one that its record describes. Exit code 1 if that does not hold; what is wrong is
named. That the newest record has no manifest yet is no fault: its coordinator is about to publish it, or the next one will. An
older manifest is one. What a retired key has signed counts if it was stored before: by the clock of NATS, as far as that is to be
trusted.

Example:
  $ lethe audit --trust-list ./keys/trust.json`,
    )
    .action(async (given: AuditOptions) => {
      const settings = await fleetSettings(given);
      const client = await requireFleet(settings);
      try {
        const checkpoint = (await activeOf(client, given.checkpoint))?.checkpoint;
        const local = keysOf(settings.data).trustList;
        const file = given.trustList ?? ((await isThere(local)) ? local : undefined);
        const log = checkpoint === undefined ? emptyLog(client.address) : await checkLog(client, checkpoint, file);
        const faults = faultsOf(log);
        printAudit(given, { ...log, valid: faults.length === 0 });
        if (faults.length === 0) return;
        tell(reportFailure(broken(log.checkpoint, faults)).text);
        process.exitCode = exitCodes.failed;
      } finally {
        client.close();
      }
    });
}

function broken(where: string, faults: readonly string[]): LetheError {
  return new LetheError('audit-broken', {
    what: 'the audit log does not hold',
    where,
    why: faults.join('; '),
    next: 'somebody has written to NATS who is no coordinator, or records were lost: compare with a backup; `lethe rollback` makes a version active that is known to be good',
  });
}
