/** A launcher that specs can kill: starts a server, tells its process id, and stays until it is told to go. */
import { runNatsServer } from './run-nats-server.ts';

const [path = '', folder = ''] = process.argv.slice(2);
const running = await runNatsServer({ path, version: '' }, folder);
process.send?.(running.pid);
process.once('message', () => {
  process.disconnect();
});
