import { Command } from 'commander';
import { renewFleetKey } from '../../shared/manifest/fleet-key.ts';
import { causeOf, type CauseOptions, reasonOption, whoOption } from '../fleet/change-cause.ts';
import { awaitServing, timeoutOption } from '../fleet/await-serving.ts';
import type { FleetClient } from '../fleet/fleet-client.ts';
import { coordinatorOption, dataOption, fleetSettings } from '../fleet/fleet-settings.ts';
import { requireFleet } from '../fleet/open-fleet.ts';
import * as options from '../options.ts';
import { servingBehind } from '../output/serving-rows.ts';
import { clockSkewMs } from '../../shared/manifest/audit-chain.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { checkLog } from '../fleet/check-log.ts';
import { givenKeys, type KeysOptions, keysOption } from './keys-options.ts';
import { rotateKey, type RotationStep } from './rotate-key.ts';
import { printResult, tell } from '../output/print.ts';

interface RotateOptions extends KeysOptions, CauseOptions {
  readonly fleet?: boolean;
  readonly timeout: number;
  readonly json?: boolean;
}

/** A manifest that the new key has signed. */
interface SignedManifest {
  readonly checkpoint: string;
  readonly version: number;
}

const stepTexts: Readonly<Record<RotationStep, string>> = {
  made: 'a new key is made',
  noted: 'the rotation is noted',
  trusted: 'the trust list holds the new key',
  installed: 'the new key signs',
  signed: 'every manifest is signed by the new key',
  retired: 'the old key is retired',
};

export function keysRotateCommand(): Command {
  return new Command('rotate')
    .description('Puts a new signing key in the place of the one there is, and signs what is active anew.')
    .option('--fleet', 'put a new secret into the fleet key instead; what was sealed before stays readable')
    .addOption(keysOption())
    .addOption(timeoutOption())
    .addOption(whoOption())
    .addOption(reasonOption())
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
The new key becomes trusted; every manifest is signed by it under a new version; the processes that serve take it over; only
then is the old key retired. Wherever that ends (a coordinator that has not got the new key yet, a serving process without the
new trust list, kill -9), the same command goes on from there.

With --fleet only the file changes: mount it first where models are served and start those anew, then at the coordinators. The
next \`lethe apply\` seals the active masks with the new secret, also where it names one that is active already.

Example:
  $ lethe keys rotate --reason "yearly"`,
    )
    .action(async (given: RotateOptions) => {
      const keys = await givenKeys(given);
      if (given.fleet === true) {
        const { secrets } = await renewFleetKey(keys.fleetKey);
        const [{ id }] = secrets;
        const text = `fleet key ${id} in ${keys.fleetKey} seals, ${secrets.length - 1} more open`;
        printResult(given, { fleet: id, file: keys.fleetKey }, text);
        return;
      }
      // Before anything is changed: without a fleet it could not be ended.
      const client = await requireFleet(await fleetSettings(given));
      const manifests: SignedManifest[] = [];
      try {
        await refuseFromFuture(client);
        const { from, to } = await rotateKey(
          keys,
          async (key) => {
            for await (const each of signAnew(client, key, given)) manifests.push(each);
          },
          (step) => {
            tell(stepTexts[step]);
          },
          () => new Date(),
        );
        const text = `key ${to} signs, key ${from} is retired; manifests signed by it: ${manifests.length}`;
        printResult(given, { from, to, manifests }, text);
      } finally {
        client.close();
      }
    });
}

/**
 * Looks whether a record is dated after now, as by a coordinator whose clock was wrong: once the key that signed it is retired,
 * it would count as forged.
 *
 * @throws LetheError `clock-contradicted` naming the first
 */
async function refuseFromFuture(client: FleetClient): Promise<void> {
  const latest = Date.now() + clockSkewMs;
  for await (const { checkpoint } of client.active()) {
    const { links } = await checkLog(client, checkpoint, undefined);
    const future = links.find(({ record }) => record !== undefined && Date.parse(record.when) > latest);
    if (future?.record === undefined) continue;
    throw new LetheError('clock-contradicted', {
      what: 'cannot retire the signing key yet',
      where: `${checkpoint}, record ${future.sequence} of the audit log`,
      why: `it is dated ${future.record.when}, which is after now: a retired key's record from the future counts as forged`,
      next: 'rotate after that time; set the clock of the coordinator that signed it now',
    });
  }
}

/** Has every manifest signed, and waits until whoever serves has it. @throws LetheError `serving-behind` */
async function* signAnew(client: FleetClient, key: string, given: RotateOptions): AsyncGenerator<SignedManifest, void> {
  const cause = { ...causeOf(given), why: given.reason ?? 'keys rotate' };
  const signed = [];
  for await (const each of client.sign(key, cause)) signed.push(each);
  for (const { checkpoint, version, digest } of signed) {
    const rows = await awaitServing(client, checkpoint, { version, digest }, [], given.timeout * 1000, () => undefined);
    const behind = servingBehind(checkpoint, rows, given.timeout);
    if (behind !== undefined) throw behind;
    yield { checkpoint, version };
  }
}
