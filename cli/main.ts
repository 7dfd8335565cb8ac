#!/usr/bin/env node
import { LetheError } from '../shared/error/lethe-error.ts';
import { reportFailure } from './output/failure.ts';
import { runProgram } from './program.ts';

// A reader that has enough, as `| head` does, is no failure, and what the command is there for goes on.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  if (cause.code === 'EPIPE') return;
  end(
    new LetheError('write-failed', {
      what: 'cannot write the result',
      where: 'standard output',
      why: cause.message,
      next: 'free space where standard output goes',
      cause,
    }),
  );
});
process.stderr.on('error', () => undefined);

// Commands end by setting process.exitCode, never by exit(): what is still being written gets out.
const args = process.argv.slice(2);
try {
  await runProgram(args);
} catch (error) {
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify(reportFailure(error).json)}\n`);
  end(error);
}

function end(error: unknown): void {
  const { text, exitCode } = reportFailure(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = exitCode;
}
