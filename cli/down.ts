import { setTimeout as after } from 'node:timers/promises';
import { Command } from 'commander';
import { LetheError } from '../shared/error/lethe-error.ts';
import { dataOption, fleetSettings } from './fleet/fleet-settings.ts';
import { findNote, lives } from './launcher/fleet-note.ts';
import { runningFleet } from './launcher/running-fleet.ts';
import * as options from './options.ts';
import { escaped } from './output/escape.ts';
import { printResult, tellLine } from './output/print.ts';

interface DownOptions {
  readonly data?: string;
  readonly json?: boolean;
}

/** Milliseconds that a fleet has to end: its workers drain for 25 seconds at most. */
const endMs = 120_000;
/** Milliseconds that its launcher has after the parts are gone. A dead one that nobody reaps looks alive. */
const launcherMs = 3000;
const pollMs = 20;

export function downCommand(): Command {
  return new Command('down')
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
Workers finish or hand back what they run; what is stored stays. It returns when nothing of the fleet runs any more.

Example:
  $ lethe down`,
    )
    .action(async (given: DownOptions) => {
      const { data } = await fleetSettings(given);
      const fleet = await runningFleet(data);
      if (fleet === undefined) throw await nothingToEnd(data);
      tellLine('draining');
      process.kill(fleet.pid, 'SIGTERM');
      await hasGone(data, fleet.pid);
      printResult(given, { data, pid: fleet.pid }, `the fleet in ${escaped(data)} has ended`);
    });
}

/** Waits until the note of a launcher has gone, which is the last thing that it does, and the launcher too. */
async function hasGone(data: string, pid: number): Promise<void> {
  const deadline = performance.now() + endMs;
  while ((await findNote(data))?.pid === pid) {
    if (performance.now() > deadline)
      throw new LetheError('fleet-failed', {
        what: 'the fleet does not end',
        where: data,
        why: `process ${pid} still runs it`,
        next: 'run `lethe down` again: a second signal ends it at once',
      });
    await after(pollMs);
  }
  const patience = performance.now() + launcherMs;
  while (lives(pid) && performance.now() < patience) await after(pollMs);
}

/** A process is signalled only when its coordinator answers: its id may be another program's by now. */
async function nothingToEnd(data: string): Promise<LetheError> {
  const note = await findNote(data);
  return new LetheError('fleet-unreachable', {
    what: 'there is no fleet to end',
    where: data,
    why:
      note === undefined
        ? 'none runs there'
        : `the coordinator at ${note.coordinator} does not answer; process ${note.pid} is named as its launcher`,
    next:
      note === undefined
        ? 'give the folder of the fleet with --data'
        : 'try again, or end that process if it is `lethe up`',
  });
}
