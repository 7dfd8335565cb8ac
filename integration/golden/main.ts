/** `npm run golden -- DIR [DIR...]`: checks golden vectors; see docs/golden.md. */
import { resolve } from 'node:path';
import { exitCodes, reportFailure } from '../../cli/output/failure.ts';
import { onOutputFailure } from '../../cli/output/standard-output.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { checkDirectory } from './check-directory.ts';
import { formatResult, passed } from './result.ts';

onOutputFailure(end);
// npm runs scripts in the project's folder, wherever it was called from.
const { npm_lifecycle_event: script, INIT_CWD: calledFrom = '' } = process.env;
const from = script === 'golden' ? calledFrom : '';
const directories = process.argv.slice(2);
const thread = new SessionThread();
const count = { passed: 0, failed: 0 };
try {
  if (directories.length === 0) {
    throw new LetheError('usage', {
      what: 'no directory is given',
      why: 'golden vectors are checked a directory at a time',
      next: 'npm run golden -- DIR [DIR...]',
    });
  }
  for (const directory of directories) {
    // Not a result: stdout has those and the count alone.
    process.stderr.write(`# ${directory}\n`);
    for await (const result of checkDirectory(resolve(from, directory), thread, { provider: 'cpu', threads: 1 })) {
      count[passed(result) ? 'passed' : 'failed'] += 1;
      if (result.detail !== undefined) process.stdout.write(`# ${result.name}: ${result.detail}\n`);
      process.stdout.write(`${formatResult(result)}\n`);
    }
  }
  process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
  process.exitCode = count.failed === 0 ? exitCodes.done : exitCodes.failed;
} catch (error) {
  end(error);
} finally {
  await thread.close();
}

function end(error: unknown): void {
  const { text, exitCode } = reportFailure(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = exitCode;
}
