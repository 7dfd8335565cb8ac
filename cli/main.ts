#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { checkpointCommand } from './checkpoint-inspect.ts';
import { doctorCommand } from './doctor.ts';
import { generateCommand } from './generate.ts';
import { exitCodes, reportFailure } from './output/failure.ts';

const program = new Command('lethe')
  .description(
    'Finds the neurons that carry a concept in a text-to-image diffusion model, prunes them, and keeps them pruned.',
  )
  .version('0.1.0')
  .showHelpAfterError('(add --help for what there is)')
  .addCommand(generateCommand())
  .addCommand(checkpointCommand())
  .addCommand(doctorCommand());

// Commands end by setting process.exitCode, never by exit(): what is still being written gets out.
for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
  command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has printed the help, the version, or what is wrong with the arguments.
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.badInput;
  } else {
    const report = reportFailure(error);
    if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(report.json)}\n`);
    process.stderr.write(`${report.text}\n`);
    process.exitCode = report.exitCode;
  }
}
