import { Argument, Command } from 'commander';
import { bashCompletion } from './completion/bash.ts';
import { completionPlaces } from './completion/completion-words.ts';
import { fishCompletion } from './completion/fish.ts';
import { zshCompletion } from './completion/zsh.ts';
import { print } from './output/print.ts';

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** Of a program whose commands are all loaded: it is them that the script completes. */
export function completionCommand(): Command {
  return new Command('completion')
    .addArgument(new Argument('<shell>', 'whose completion it is').choices(Object.keys(shells)))
    .addHelpText(
      'after',
      `
Completes commands, options and the values that an option can have.

Examples:
  $ eval "$(lethe completion bash)"    # in ~/.bashrc; zsh in ~/.zshrc
  $ lethe completion fish > ~/.config/fish/completions/lethe.fish`,
    )
    .action((shell: keyof typeof shells, _: unknown, command: Command) => {
      if (command.parent !== null) print(shells[shell](completionPlaces(command.parent)));
    });
}
