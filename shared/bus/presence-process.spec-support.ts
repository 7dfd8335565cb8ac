/** A process that is present until it is killed: `node presence-process.js PORT TOKEN AGE CHECKPOINT`. */
import { connectBus } from './connect.ts';
import { Presence } from './presence.ts';

const [port = '', token = '', age = '', checkpoint = ''] = process.argv.slice(2);
const bus = await connectBus({
  servers: [`127.0.0.1:${port}`],
  clientName: 'presence',
  credentials: { kind: 'token', token },
});
const entry = { process: `process ${process.pid}`, checkpoint, since: Date.now() };
const presence = new Presence(bus, entry, Number(age));
await presence.say({ ...entry, version: 7, digest: 'a'.repeat(64), seconds: 0.5 });
process.stdout.write('present\n');
