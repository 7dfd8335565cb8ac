/** A launcher that specs can kill: starts a server and tells its process id. */
import { runNatsServer } from './run-nats-server.ts';

const [path = '', folder = ''] = process.argv.slice(2);
const running = await runNatsServer({ path, version: '' }, folder);
process.send?.(running.pid);
