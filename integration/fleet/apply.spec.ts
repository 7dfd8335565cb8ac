import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FleetClient } from '../../cli/fleet/fleet-client.ts';
import { lethe } from '../../cli/run-command.spec-support.ts';
import { publishMask } from '../../coordinator/publish/publish-mask.ts';
import { openStore, type Store } from '../../coordinator/store/store.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { Presence } from '../../shared/bus/presence.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { signRecord } from '../../shared/manifest/change-record.ts';
import { readSigningKey } from '../../shared/manifest/signing-key.ts';
import { manifestDigest, type Manifest } from '../../shared/manifest/manifest.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { type Coordinator, Fleet } from '../fleet-processes/fleet.ts';

const checkpoint = `sha256:${'a'.repeat(64)}`;
const maskAt = (concept: string, bit: number): Mask => ({
  checkpoint,
  parts: [{ concept, method: 'conceptprune', settings: {} }],
  timesteps: [],
  layers: [{ site: 'ffn2', name: 'a', union: { rows: 1, columns: 8, bytes: Uint8Array.of(1 << bit) }, steps: [] }],
});

let folder: string;
let fleet: Fleet | undefined;
let bus: Bus;
let store: Store;
let signing: Coordinator;
let bare: Coordinator;
let masks: Readonly<Record<'Neon' | 'violin', string>>;
const open: Presence[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-apply-'));
  const made = await lethe(['keys', 'create', '--keys', join(folder, 'keys')]);
  expect(made).toMatchObject({ code: 0 });
  fleet = await Fleet.start({ coordinator: [], worker: [] }).catch((cause: unknown) => {
    if (cause instanceof LetheError && cause.code === 'nats-server-missing') return undefined;
    throw cause;
  });
  if (fleet === undefined) return;
  bare = await fleet.coordinator('bare');
  const keys = [
    '--signing-key',
    join(folder, 'keys', 'signing.key'),
    '--trust-list',
    join(folder, 'keys', 'trust.json'),
  ];
  signing = await fleet.coordinator('signing', '127.0.0.1:0', keys);
  bus = await fleet.bus();
  store = await openStore(bus, 1, 30_000);
  masks = {
    Neon: await publishMask(store.masks, maskAt('Neon', 0)),
    violin: await publishMask(store.masks, maskAt('violin', 1)),
  };
});
afterAll(async () => {
  await Promise.all(open.map((each) => each.withdraw()));
  await fleet?.stop();
  await rm(folder, { recursive: true });
});

/** A command that asks the coordinator with the key. */
const ask = async (...args: readonly string[]) => {
  const { code, stdout, stderr } = await lethe([...args, '--coordinator', signing.address, '--data', folder, '--json']);
  return { code, stderr, json: (stdout === '' ? {} : JSON.parse(stdout)) as Record<string, unknown> };
};
const serve = (process: string, change: object = {}): Presence => {
  const presence = new Presence(bus, { process, checkpoint, since: Date.now(), ...change });
  open.push(presence);
  return presence;
};
const published = async (): Promise<Manifest> =>
  (JSON.parse(Buffer.from((await store.manifests.read(checkpoint))?.bytes ?? []).toString()) as { manifest: Manifest })
    .manifest;

describe('the commands that change what is active', () => {
  it('refuse what is not verified, and what cannot be signed, and say what to do', async ({ skip }) => {
    if (fleet === undefined) return skip();
    const unverified = await ask('apply', masks.Neon);
    expect(unverified).toMatchObject({ code: 2, json: { error: { code: 'mask-unverified' } } });
    expect(unverified.stderr).toContain('--force --reason');
    expect(await ask('apply', masks.Neon, '--force')).toMatchObject({ code: 2, json: { error: { code: 'usage' } } });
    expect(await ask('apply', '0'.repeat(64))).toMatchObject({ code: 2, json: { error: { code: 'mask-missing' } } });
    // Nothing was ever active: that is no error.
    expect(await ask('history')).toMatchObject({ code: 0, json: { versions: [] } });
    expect(await ask('audit')).toMatchObject({ code: 0, json: { links: [], valid: true } });
    expect(await ask('active')).toMatchObject({ code: 0, json: { checkpoints: [] } });
    expect(await ask('history', '--checkpoint', 'aaaa')).toMatchObject({ code: 2, json: { error: { code: 'usage' } } });

    const forced = ['--force', '--reason', 'a spec'];
    const unsigned = await lethe(['apply', masks.Neon, ...forced, '--coordinator', bare.address, '--data', folder]);
    expect(unsigned.code).toBe(1);
    expect(unsigned.stderr).toContain('[signing-unavailable]');
    expect(unsigned.stderr).toContain('lethe keys create');
    expect(await store.manifests.read(checkpoint)).toBeUndefined();
  });

  it('wait for who serves, name who is behind, and take back, roll back and tell what they did', async ({ skip }) => {
    if (fleet === undefined) return skip();
    const forced = ['--force', '--reason', 'a spec'];
    const first = await ask('apply', masks.Neon, ...forced, '--who', 'ada');
    expect(first).toMatchObject({ code: 0, json: { version: 1, changed: true, processes: [], missing: [] } });

    const report = Buffer.from('{"UA": 0.97}');
    const client = new FleetClient(signing.address);
    const images = { target: 320, rest: 300 };
    // A verification that failed is none; the newest one counts.
    await client.recordVerification(masks.violin, checkpoint, false, Buffer.from('{"UA": 0.2}'), images);
    expect(await ask('apply', masks.violin)).toMatchObject({ code: 2, json: { error: { code: 'mask-unverified' } } });
    const asked = await client.recordVerification(masks.violin, checkpoint, true, report, images);
    client.close();
    const [one, two] = [serve('one'), serve('two')];
    await two.say({ process: 'two', checkpoint, since: 1, refused: { reason: 'unknown-key', why: 'x' } });
    // One takes over whatever is published; two refuses it.
    const following = await store.broadcast.listen('manifest', () => {
      void published().then((manifest) =>
        one.say({
          process: 'one',
          checkpoint,
          since: 1,
          version: manifest.version,
          digest: manifestDigest(manifest),
          seconds: 0.5,
        }),
      );
    });
    const dry = await ask('apply', masks.violin, '--dry-run');
    expect(dry).toMatchObject({
      code: 0,
      json: { from: 1, version: 2, added: [{ concept: 'violin' }], kept: [{ concept: 'Neon' }], removed: [] },
    });
    expect(await published()).toMatchObject({ version: 1 });
    const behind = await ask('apply', masks.violin, '--timeout', '3');
    expect(behind).toMatchObject({
      code: 1,
      json: {
        version: 2,
        masks: [
          { concept: 'Neon', verification: '' },
          { concept: 'violin', verification: asked, images },
        ],
        missing: ['two'],
        processes: [
          { process: 'one', state: 'serving', version: 2, seconds: 0.5 },
          { process: 'two', state: 'refused', reason: 'unknown-key' },
        ],
      },
    });
    expect(behind.stderr).toContain('two (unknown-key)');
    const active = await ask('active');
    expect(active).toMatchObject({
      code: 0,
      json: {
        checkpoints: [
          {
            version: 2,
            masks: [{ concept: 'Neon' }, { concept: 'violin', verification: { passed: true, report: asked, images } }],
            processes: [
              { process: 'one', version: 2, missing: false },
              { process: 'two', missing: true },
            ],
          },
        ],
      },
    });
    const seen = (active.json['checkpoints'] as readonly { processes: readonly { seenAt: number }[] }[])[0]?.processes;
    expect(Math.abs(Date.now() - (seen?.[0]?.seenAt ?? 0))).toBeLessThan(60_000);
    await two.withdraw();
    const dryRestore = await lethe([
      'restore',
      'neon',
      '--dry-run',
      '--coordinator',
      signing.address,
      '--data',
      folder,
    ]);
    expect(dryRestore.stdout).toMatch(/^would become version 3 [^]*^- Neon \(/m);
    // In another letter case it is the same concept.
    expect(await ask('restore', 'NEON', '--reason', 'as it was')).toMatchObject({
      code: 0,
      json: { version: 3, masks: [{ concept: 'violin' }], missing: [] },
    });
    expect(await ask('restore', 'Neon')).toMatchObject({ code: 2, json: { error: { code: 'mask-missing' } } });
    const unverified = { code: 2, json: { error: { code: 'mask-unverified' } } };
    expect(await ask('rollback', '1')).toMatchObject(unverified);
    expect(await ask('rollback', '1', '--dry-run')).toMatchObject(unverified);
    expect(await ask('rollback', '1', '--force')).toMatchObject({ code: 2, json: { error: { code: 'usage' } } });
    expect(await ask('rollback', '1', ...forced)).toMatchObject({
      code: 0,
      json: { version: 4, masks: [{ concept: 'Neon' }] },
    });
    expect(await ask('rollback', '9')).toMatchObject({ code: 2, json: { error: { code: 'version-missing' } } });
    following();

    const history = await ask('history', '--last', '3', '--checkpoint', 'aaaa');
    const versions = history.json['versions'] as readonly { version: number; action: string; published: boolean }[];
    expect(versions.map(({ version, action }) => `${version} ${action}`)).toEqual([
      '2 apply',
      '3 restore',
      '4 rollback',
    ]);
    expect(versions.every((each) => each.published)).toBe(true);
    const shown = await lethe(['history', '--coordinator', signing.address, '--data', folder]);
    expect(shown.stdout).toContain('verified on 320 + 300 images');

    const audit = await ask('audit', '--trust-list', join(folder, 'keys', 'trust.json'));
    expect(audit).toMatchObject({ code: 0, json: { valid: true, standing: { kind: 'in-step', version: 4 } } });
    const links = audit.json['links'] as readonly { record: { who: string; forced: boolean; masks: object[] } }[];
    expect(links[0]?.record).toMatchObject({ who: 'ada', why: 'a spec', forced: true });
    expect(links[1]?.record).toMatchObject({ forced: false, masks: [{}, { verification: asked }] });
    expect(links[3]?.record).toMatchObject({ action: 'rollback', forced: true });
  });

  it('rotate the key, and show a log that somebody has added to', async ({ skip }) => {
    if (fleet === undefined) return skip();
    const rotated = await ask('keys', 'rotate', '--keys', join(folder, 'keys'), '--timeout', '0');
    // The process that serves has not taken the new version over: nothing is retired.
    expect(rotated).toMatchObject({ code: 1, json: { error: { code: 'serving-behind' } } });
    const list = async () => (await lethe(['keys', 'list', '--keys', join(folder, 'keys'), '--json'])).stdout;
    expect(JSON.parse(await list())).toMatchObject({ keys: [{ state: 'active' }, { state: 'active' }] });
    await Promise.all(open.map((each) => each.withdraw()));
    expect(await ask('keys', 'rotate', '--keys', join(folder, 'keys'))).toMatchObject({
      code: 0,
      json: { manifests: [{ checkpoint, version: 5 }] },
    });
    expect(JSON.parse(await list())).toMatchObject({ keys: [{ state: 'retired' }, { state: 'active' }] });
    const trust = join(folder, 'keys', 'trust.json');
    expect(await ask('audit', '--trust-list', trust)).toMatchObject({ code: 0, json: { valid: true } });

    const head = await store.audit.head(checkpoint);
    await store.audit.append(checkpoint, Buffer.from('{}'), head?.sequence ?? 0);
    const forged = await ask('audit', '--trust-list', trust);
    expect(forged).toMatchObject({ code: 1, json: { valid: false } });
    expect(forged.stderr).toContain('[audit-broken]');
    expect(forged.stderr).toContain('forged');
    expect(await ask('rollback', '2', '--reason', 'goes on')).toMatchObject({ code: 0, json: { version: 6 } });

    // By a list that does not know the keys, nothing holds.
    const other = join(folder, 'other.json');
    await writeFile(other, (await readFile(trust, 'utf8')).replace(/"keys": \[[\s\S]*\]/, '"keys": []'));
    expect(await ask('audit', '--trust-list', other)).toMatchObject({
      code: 1,
      json: { standing: { kind: 'refused' } },
    });
  });

  it('do not rotate the key away under a record that is dated after now', async ({ skip }) => {
    if (fleet === undefined) return skip();
    const key = await readSigningKey(join(folder, 'keys', 'signing.key'));
    const other = `sha256:${'f'.repeat(64)}`;
    // As a coordinator of an earlier release signs it whose clock is two days ahead.
    const record = {
      format: 'lethe-audit-1',
      checkpoint: other,
      version: 1,
      when: new Date(Date.now() + 2 * 86_400_000).toISOString(),
      who: 'ada',
      why: '',
      action: 'apply',
      forced: false,
      masks: [{ concept: 'Neon', mask: masks.Neon }],
      union: masks.Neon,
    } as const;
    await store.audit.append(other, signRecord({ ...record, masks: [...record.masks] }, key), 0);
    expect(await ask('keys', 'rotate', '--keys', join(folder, 'keys'))).toMatchObject({
      code: 1,
      json: { error: { code: 'clock-contradicted' } },
    });
    expect((await readSigningKey(join(folder, 'keys', 'signing.key'))).id).toBe(key.id);
  });
});
