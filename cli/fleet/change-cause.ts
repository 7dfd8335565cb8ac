import { hostname, userInfo } from 'node:os';
import { Option } from 'commander';
import type { Cause } from '../../gen/fleet/v1/mask.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { whoLimit } from '../../shared/manifest/change-record.ts';

/** What commands that change the active masks are told of the change. */
export interface CauseOptions {
  readonly who?: string;
  readonly reason?: string;
  readonly force?: boolean;
}

export const whoOption = (): Option =>
  new Option('--who <name>', 'who makes the change, for the audit log (default: you, on this machine)').env(
    'LETHE_WHO',
  );

export const reasonOption = (): Option => new Option('--reason <text>', 'why, for the audit log');

/** @param meaning what becomes active all the same */
export const forceOption = (meaning: string): Option =>
  new Option('--force', `${meaning} that no verification stands behind; --reason has to say why`);

/** User and machine: what a shell knows of who runs it. */
export function whoAmI(): string {
  return `${userName()}@${hostname()}`.slice(0, whoLimit);
}

/** @throws LetheError `usage` for a change that is forced without a reason */
export function causeOf({ who, reason, force }: CauseOptions): Cause {
  if (force === true && (reason ?? '').trim() === '')
    throw new LetheError('usage', {
      what: 'cannot force the change',
      where: '--force',
      why: 'no reason is given',
      next: 'add --reason TEXT: the audit log keeps it',
    });
  return { who: who ?? whoAmI(), why: reason ?? '', force: force === true };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user that no file names.
    return String(process.getuid?.() ?? 'unknown');
  }
}
