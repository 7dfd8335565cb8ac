import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { type ChangeRecord, signRecord } from '../../shared/manifest/change-record.ts';
import { newKey, trustIn } from '../../shared/manifest/manifests.spec-support.ts';
import { createSigningKey } from '../../shared/manifest/signing-key.ts';
import { openStore, type Store } from '../store/store.ts';
import { encodeStored } from '../store/stored-json.ts';
import { CatchingUp } from './catching-up.ts';
import { publishMask } from './publish-mask.ts';
import { catchUp } from './publish-record.ts';
import {
  apply,
  chainOf,
  conceptsOf,
  forced,
  key,
  keyringOf,
  maskAt,
  newCheckpoint,
  publicationOf,
  restore,
} from './publish.spec-support.ts';

await describeWithServer('publishChange, where NATS is not to be trusted or a coordinator is killed', (server) => {
  const store = async (): Promise<Store> => openStore(await server.connect(), 1, 30_000);

  it('is not stopped by records and manifests that somebody else has stored', async () => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const publication = publicationOf(own);
    await apply(publication, checkpoint, 'a');
    const before = await own.manifests.read(checkpoint);
    await apply(publication, checkpoint, 'b');
    const head = await own.audit.head(checkpoint);
    await own.audit.append(checkpoint, Buffer.from('forged'), head?.sequence ?? 0);
    // An older manifest again: nobody who serves goes back, and the next coordinator puts it right.
    const stored = await own.manifests.read(checkpoint);
    await own.manifests.update(checkpoint, before?.bytes ?? Buffer.of(), stored?.sequence ?? 0);
    expect((await chainOf(own, checkpoint)).standing).toEqual({ kind: 'unpublished', version: 2, published: 1 });
    await catchUp(publication, checkpoint);
    expect(await chainOf(own, checkpoint)).toMatchObject({
      standing: { kind: 'in-step', version: 2 },
      faults: [{ kind: 'forged' }],
    });
    expect(conceptsOf(await apply(publication, checkpoint, 'c'))).toEqual(['a', 'b', 'c']);
    const { faults, links } = await chainOf(own, checkpoint);
    expect(faults.map(({ kind }) => kind)).toEqual(['forged']);
    expect(links.map(({ record }) => record?.version)).toEqual([1, 2, undefined, 3]);
  });

  it('does not take a copy of an old record and an old manifest for what is active', async () => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const publication = publicationOf(own);
    await apply(publication, checkpoint, 'a');
    const [oldRecord, oldManifest] = [await own.audit.head(checkpoint), await own.manifests.read(checkpoint)];
    await apply(publication, checkpoint, 'b');
    const [newRecord, newManifest] = [await own.audit.head(checkpoint), await own.manifests.read(checkpoint)];
    await own.audit.append(checkpoint, oldRecord?.bytes ?? Buffer.of(), newRecord?.sequence ?? 0);
    await own.manifests.update(checkpoint, oldManifest?.bytes ?? Buffer.of(), newManifest?.sequence ?? 0);
    const reads = vi.spyOn(own.audit, 'list');
    const catching = new CatchingUp(publication);
    await catching.run(checkpoint);
    expect((await own.manifests.read(checkpoint))?.bytes).toEqual(newManifest?.bytes);
    // Once more for what it has published itself; then nothing has changed, and the log is not read.
    await catching.run(checkpoint);
    await catching.run(checkpoint);
    expect(reads).toHaveBeenCalledTimes(2);
    const repaired = await own.manifests.read(checkpoint);
    await own.manifests.update(checkpoint, oldManifest?.bytes ?? Buffer.of(), repaired?.sequence ?? 0);
    await catching.run(checkpoint);
    expect((await own.manifests.read(checkpoint))?.bytes).toEqual(newManifest?.bytes);

    const after = await apply(publication, checkpoint, 'c');
    expect(after.manifest.version).toBe(3);
    expect(conceptsOf(after)).toEqual(['a', 'b', 'c']);
    expect((await chainOf(own, checkpoint)).faults.map(({ kind }) => kind)).toEqual(['forged']);
  });

  it('does not publish what a stolen key has signed after it was retired, however it is dated', async () => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const stolen = newKey();
    const hour = 3_600_000;
    const ago = (hours: number): Date => new Date(Date.now() - hours * hour);
    const list = {
      keys: trustIn(key, [stolen, 'retired']).keys.map((each) =>
        each.id === stolen.id ? { ...each, since: ago(1).toISOString() } : each,
      ),
    };
    const publication = publicationOf(own, { keyring: keyringOf(key, list) });
    const { manifest } = await apply(publication, checkpoint, 'a');
    const head = await own.audit.head(checkpoint);
    const record: ChangeRecord = {
      format: 'lethe-audit-1',
      checkpoint,
      version: 2,
      when: ago(2).toISOString(),
      who: 'mallory',
      why: '',
      action: 'restore',
      forced: false,
      masks: [],
      previous: manifest.audit,
    };
    await own.audit.append(checkpoint, signRecord(record, stolen), head?.sequence ?? 0);
    await catchUp(publication, checkpoint);
    const { faults, standing } = await chainOf(own, checkpoint, list);
    expect(faults).toMatchObject([{ kind: 'forged', why: expect.stringContaining('retired') as string }]);
    expect(standing).toEqual({ kind: 'in-step', version: 1 });
    expect(conceptsOf(await apply(publication, checkpoint, 'b'))).toEqual(['a', 'b']);
  });

  it('goes on from what a coordinator has decided that was killed before it could publish', async () => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const file = join(server.folder, `${randomBytes(4).toString('hex')}.key`);
    const fileKey = await createSigningKey(file);
    const list = trustIn(fileKey);
    const publication = publicationOf(own, { keyring: keyringOf(fileKey, list) });
    await apply(publication, checkpoint, 'a');
    const mask = await publishMask(own.masks, maskAt(checkpoint, 'b', 1));
    const program = join('dist', 'coordinator', 'publish', 'killed-publisher.spec-support.js');
    const address = JSON.stringify(server.running.address('killed'));
    const child = spawn(process.execPath, [program, address, checkpoint, 'b', mask, file], { stdio: 'inherit' });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);

    // The chain is whole, and says that its last record is not published.
    expect(await chainOf(own, checkpoint, list)).toMatchObject({
      faults: [],
      standing: { kind: 'unpublished', version: 2, published: 1 },
    });
    // The next change is made on top of it, by whoever makes it.
    expect(conceptsOf(await apply(publication, checkpoint, 'c'))).toEqual(['a', 'b', 'c']);
    const { faults, links, standing } = await chainOf(own, checkpoint, list);
    expect(faults).toEqual([]);
    expect(links.map(({ record }) => record?.who)).toEqual(['ada@example', 'killed', 'ada@example']);
    expect(standing).toEqual({ kind: 'in-step', version: 3 });
  });

  it('does not build on a manifest that nobody signed, unless told to begin anew', async () => {
    const own = await store();
    const checkpoint = newCheckpoint();
    const old = { format: 'lethe-manifest-1', checkpoint, version: 3, masks: [{ concept: 'x', mask: '1'.repeat(64) }] };
    await own.manifests.create(checkpoint, encodeStored(old));
    const publication = publicationOf(own);
    const refused = { code: 'manifest-untrusted', why: expect.stringContaining('unsigned') as string };
    await expect(restore(publication, checkpoint, 'x')).rejects.toMatchObject(refused);
    expect(conceptsOf(await apply(publication, checkpoint, 'a', forced))).toEqual(['a']);
    expect((await chainOf(own, checkpoint)).standing).toEqual({ kind: 'in-step', version: 1 });
  });
});
