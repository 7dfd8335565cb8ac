/**
 * Loaded into the processes of a local fleet before anything else: when the launcher ends, however it ends (kill -9 too),
 * the system closes the channel to it, and the process drains. They are not in the launcher's process group, so a Ctrl-C
 * reaches the launcher alone, which stops them in order.
 */
import { isMainThread } from 'node:worker_threads';

/** Milliseconds that draining may take without a launcher: NATS goes with it. */
const graceMs = 10_000;

if (isMainThread && process.channel !== undefined) {
  process.on('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => {
      process.kill(process.pid, 'SIGKILL');
    }, graceMs).unref();
  });
  process.channel.unref();
}
