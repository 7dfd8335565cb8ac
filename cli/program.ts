import { Command, CommanderError } from 'commander';
import { LetheError } from '../shared/error/lethe-error.ts';
import { releaseVersion } from '../shared/metrics/release.ts';
import { type CommandEntry, commands } from './commands.ts';
import { wrapHelp } from './output/wrap-help.ts';
import { printTo } from './output/print.ts';

/**
 * Runs the command that `args` name. Help and version are printed and are no failure; everything else that is wrong
 * with the arguments is a LetheError `usage`, in the shape of every other error.
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  const named = namedCommand(args);
  // Completion is of every command, with its options.
  const program = await programFor(({ name }) => name === named || named === 'completion');
  let at = program;
  for (const command of withSubcommands(program))
    command.exitOverride().hook('preSubcommand', (_, subcommand) => {
      at = subcommand;
    });
  // `-o json` is `--json` to whatever a command does with that.
  program.hook('preAction', (_, command) => {
    if (command.getOptionValue('output') === 'json') command.setOptionValue('json', true);
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    throw usageError(error, fullName(at));
  }
}

/** The program with its commands, of which those that `wanted` picks are loaded; the others are names with a description. */
export async function programFor(wanted: (entry: CommandEntry) => boolean): Promise<Command> {
  const program = new Command('lethe')
    .description(
      'Finds the neurons that carry a concept in a text-to-image diffusion model, prunes them, and keeps them pruned.',
    )
    .version(releaseVersion)
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 failed, 2 bad usage or input.

Examples:
  $ lethe sweep deploy/campaign/emoji-demo.yaml
  $ lethe generate --prompt "a picture of a red apple in the style of Neon" --out apple.png`,
    );
  for (const entry of commands) {
    const command = wanted(entry) ? await entry.load() : new Command(entry.name);
    program.addCommand(command.description(entry.description));
  }
  for (const command of withSubcommands(program)) shapeHelp(command);
  return program;
}

/** Whether a result is wanted as JSON, and so what is wrong too: `--json`, `-o json`, `--output=json`. */
export function wantsJson(args: readonly string[]): boolean {
  return args.some(
    (arg, i) =>
      arg === '--json' ||
      /^(-o=?|--output=)json$/.test(arg) ||
      (arg === 'json' && /^(-o|--output)$/.test(args[i - 1] ?? '')),
  );
}

/** Of `lethe sweep …` and of `lethe help sweep`: `sweep`. */
function namedCommand(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((arg) => !arg.startsWith('-'));
  return first === 'help' ? second : first;
}

/** Help is as wide as the terminal, or 80 columns; what is wrong is told once, by whoever catches it. */
function shapeHelp(command: Command): void {
  command.configureHelp({ minWidthToWrap: 20 }).configureOutput({
    writeOut: (text) => {
      printTo(process.stdout, wrapHelp(text.replace(/\n$/, ''), process.stdout));
    },
    writeErr: (text) => {
      printTo(process.stderr, wrapHelp(text.replace(/\n$/, ''), process.stderr));
    },
    outputError: () => undefined,
  });
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
