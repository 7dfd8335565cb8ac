/** Publishes one change and is killed, by its own hand, between its audit record and its manifest. */
import { pino } from 'pino';
import { connectBus } from '../../shared/bus/connect.ts';
import type { BusAddress } from '../../shared/bus/connect.ts';
import { openStore } from '../store/store.ts';
import { fileKeyring } from './keyring.ts';
import { publishChange } from './publish-change.ts';

const [address = '', checkpoint = '', concept = '', mask = '', key = ''] = process.argv.slice(2);
const store = await openStore(await connectBus(JSON.parse(address) as BusAddress), 1, 30_000);
const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
};
const manifests = Object.assign(Object.create(store.manifests) as typeof store.manifests, {
  read: (name: string) => store.manifests.read(name),
  create: die,
  update: die,
});
await publishChange(
  {
    store: { ...store, manifests },
    keyring: fileKeyring(key, undefined),
    reportedVersion: () => Promise.resolve(0),
    now: () => new Date(),
    log: pino({ level: 'silent' }),
  },
  checkpoint,
  { kind: 'change', apply: [{ concept, mask }], restore: [] },
  { who: 'killed', why: 'a reason', force: true },
);
