import { Command, CommanderError } from 'commander';
import { LetheError } from '../shared/error/lethe-error.ts';
import { applyCommand } from './apply.ts';
import { auditCommand } from './audit.ts';
import { checkpointCommand } from './checkpoint-inspect.ts';
import { exportCommand } from './export.ts';
import { doctorCommand } from './doctor.ts';
import { diffCommand } from './diff.ts';
import { historyCommand } from './history.ts';
import { keysCommand } from './keys.ts';
import { masksCommand } from './masks.ts';
import { restoreCommand } from './restore.ts';
import { rollbackCommand } from './rollback.ts';
import { serveCommand } from './serve.ts';
import { showCommand } from './show.ts';
import { statusCommand } from './status.ts';
import { sweepCommand } from './sweep.ts';
import { tuneCommand } from './tune.ts';
import { upCommand } from './up.ts';
import { verifyCommand } from './verify.ts';
import { workersCommand } from './workers.ts';
import { generateCommand } from './generate.ts';

/**
 * Runs the command that `args` name. Help and version are printed and are no failure; everything else that is wrong
 * with the arguments is a LetheError `usage`, in the shape of every other error.
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = new Command('lethe')
    .description(
      'Finds the neurons that carry a concept in a text-to-image diffusion model, prunes them, and keeps them pruned.',
    )
    .version('0.1.0')
    .addCommand(upCommand())
    .addCommand(sweepCommand())
    .addCommand(tuneCommand())
    .addCommand(verifyCommand())
    .addCommand(statusCommand())
    .addCommand(workersCommand())
    .addCommand(masksCommand())
    .addCommand(showCommand())
    .addCommand(diffCommand())
    .addCommand(applyCommand())
    .addCommand(restoreCommand())
    .addCommand(rollbackCommand())
    .addCommand(historyCommand())
    .addCommand(auditCommand())
    .addCommand(keysCommand())
    .addCommand(serveCommand())
    .addCommand(generateCommand())
    .addCommand(exportCommand())
    .addCommand(checkpointCommand())
    .addCommand(doctorCommand())
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 failed, 2 bad usage or input.

Examples:
  $ lethe sweep deploy/campaign/emoji-demo.yaml
  $ lethe generate --prompt "a picture of a red apple in the style of Neon" --out apple.png`,
    );
  let at = program;
  for (const command of withSubcommands(program))
    command
      .exitOverride()
      .hook('preSubcommand', (_, subcommand) => {
        at = subcommand;
      })
      .configureOutput({ outputError: () => undefined });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    throw usageError(error, fullName(at));
  }
}

function usageError(error: CommanderError, command: string): LetheError {
  // commander shows the help itself where a subcommand is missing.
  const missing = error.code === 'commander.help';
  return new LetheError('usage', {
    what: `cannot run ${command}`,
    why: missing ? 'a command is missing' : error.message.replace(/^error: /, '').replaceAll('\n', ' '),
    next: `see \`${command} --help\``,
  });
}

const withSubcommands = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap(withSubcommands),
];

const fullName = (command: Command): string =>
  command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
