import { Command } from 'commander';
import { keysCreateCommand } from './keys/create.ts';
import { keysListCommand } from './keys/list.ts';
import { keysRotateCommand } from './keys/rotate.ts';

export function keysCommand(): Command {
  return new Command('keys')
    .addCommand(keysCreateCommand())
    .addCommand(keysListCommand())
    .addCommand(keysRotateCommand())
    .addHelpText('after', '\nExample:\n  $ lethe keys list');
}
