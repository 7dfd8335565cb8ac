import { Command } from 'commander';
import { LetheError } from '../shared/error/lethe-error.ts';
import { isSameConcept } from '../shared/mask/same-concept.ts';
import { timeoutOption } from './fleet/await-serving.ts';
import { causeOf, type CauseOptions, forceOption, reasonOption, whoOption } from './fleet/change-cause.ts';
import { type ChangeOptions, changeMasks, dryRunOption } from './fleet/change-masks.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import type { KnownMask } from './fleet/choose-mask.ts';
import { MaskShelf, masksIn } from './fleet/mask-shelf.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import * as options from './options.ts';

export function applyCommand(): Command {
  return new Command('apply')
    .argument('<mask...>', 'hashes or the beginnings of them, concepts, or campaign/concept')
    .addOption(forceOption('masks too'))
    .addOption(reasonOption())
    .addOption(whoOption())
    .addOption(dryRunOption())
    .addOption(timeoutOption())
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
A concept means its newest mask that is verified, else its only one. Each mask takes the place of the one its concept had. The change is a record of the audit log (\`lethe audit\`) with who, why
and which verification stands behind each mask, and is published under a new version. Exit code 1 if serving processes have
not taken it over in time: they are named, and the change stands.

Examples:
  $ lethe apply violin Neon
  $ lethe apply 3f2a9c --force --reason "incident 4711"`,
    )
    .action(async (names: readonly string[], given: ChangeOptions & CauseOptions & FleetOptions) => {
      const cause = causeOf(given);
      const settings = await fleetSettings(given);
      const client = await requireFleet(settings);
      try {
        const { checkpoint, masks } = await namedMasks(new MaskShelf(masksIn(settings.data), client), names);
        await changeMasks(client, checkpoint, (dryRun) => client.apply(checkpoint, masks, [], cause, dryRun), given);
      } finally {
        client.close();
      }
    });
}

/** The masks of one checkpoint, each concept once. @throws LetheError `mask-missing`, `mask-mismatch`, `usage` */
async function namedMasks(shelf: MaskShelf, names: readonly string[]) {
  const found: KnownMask[] = [];
  for (const name of names) found.push(await shelf.find(name));
  const checkpoints = new Set<string>();
  for (const { hash } of found) checkpoints.add((await shelf.read(hash)).checkpoint);
  const [checkpoint = '', other] = [...checkpoints];
  if (other !== undefined)
    throw new LetheError('mask-mismatch', {
      what: 'cannot make the masks active together',
      where: names.join(', '),
      why: `they are of several checkpoints: ${[...checkpoints].map((id) => id.slice(0, 19)).join(', ')}`,
      next: 'apply those of each checkpoint by themselves',
    });
  const masks = [...new Map(found.map(({ hash, concept }) => [hash, { concept, mask: hash }])).values()];
  const twice = masks.find(({ concept }, i) => masks.findIndex((each) => isSameConcept(each.concept, concept)) < i);
  if (twice === undefined) return { checkpoint, masks };
  throw new LetheError('usage', {
    what: 'cannot make the masks active together',
    where: names.join(', '),
    why: `two of them are of the concept ${twice.concept}`,
    next: 'a concept has one mask: choose one of them',
  });
}
