import { LetheError } from '../../shared/error/lethe-error.ts';

/**
 * Calls `fail` with a LetheError `write-failed` when standard output cannot be written to. A reader that has enough, as
 * `| head` does, is no failure, and what the command is there for goes on; nor is one of standard error.
 */
export function onOutputFailure(fail: (error: LetheError) => void): void {
  process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EPIPE') return;
    fail(
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
}
