/** `npm run golden -- DIR [DIR...]`: checks golden vectors; see docs/golden.md. */
import { exitCodes, reportFailure } from '../../cli/output/failure.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { checkDirectory } from './check-directory.ts';
import { formatResult, passed } from './result.ts';

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
    for await (const result of checkDirectory(directory, thread, { provider: 'cpu', threads: 1 })) {
      count[passed(result) ? 'passed' : 'failed'] += 1;
      if (result.detail !== undefined) process.stdout.write(`# ${result.name}: ${result.detail}\n`);
      process.stdout.write(`${formatResult(result)}\n`);
    }
  }
  process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
  process.exitCode = count.failed === 0 ? exitCodes.done : exitCodes.failed;
} catch (error) {
  const report = reportFailure(error);
  process.stderr.write(`${report.text}\n`);
  process.exitCode = report.exitCode;
} finally {
  await thread.close();
}
