import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newDirectory, refusal } from '../checkpoint/fixture.spec-support.ts';
import { requireAllowed, securityOf } from './security.ts';

let folder = '';
beforeAll(async () => {
  folder = await newDirectory();
  for (const name of ['authority', 'certificate', 'key']) await writeFile(join(folder, name), `the ${name}`);
});
afterAll(() => rm(folder, { recursive: true }));

const files = () => ({
  insecure: false,
  'tls-authority': join(folder, 'authority'),
  'tls-certificate': join(folder, 'certificate'),
  'tls-key': join(folder, 'key'),
});

it('reads the three files of mutual TLS', async () => {
  expect(await securityOf(files())).toEqual({
    kind: 'mutual-tls',
    authority: Buffer.from('the authority'),
    certificate: Buffer.from('the certificate'),
    key: Buffer.from('the key'),
  });
});

it('speaks plain text where it is asked for by name, and wants certificates elsewhere', async () => {
  expect(await securityOf({ insecure: true })).toEqual({ kind: 'plain-text-loopback' });
  expect(await refusal(() => securityOf({ insecure: false }))).toMatch(/^usage: /);
  expect(await refusal(() => securityOf({ ...files(), 'tls-key': undefined }))).toMatch(/^usage: .*--tls-key/);
});

it.each(['tls-authority', 'tls-certificate', 'tls-key'])(
  'names the setting and the file of a --%s',
  async (setting) => {
    const missing = join(folder, 'nowhere.pem');
    const refused = await refusal(() => securityOf({ ...files(), [setting]: missing }));
    expect(refused).toMatch(/^usage: /);
    expect(refused).toContain(`--${setting} (${missing}): ENOENT`);
    expect(await refusal(() => securityOf({ ...files(), [setting]: folder }))).toContain('not a regular file');
  },
);

it.each(['127.0.0.1:1', '127.1.2.3:1', 'localhost:1', '[::1]:1', '127.0.0.1', 'localhost', '::1'])(
  'lets plain text be spoken on %s',
  (address) => {
    expect(() => {
      requireAllowed({ kind: 'plain-text-loopback' }, address, 'go elsewhere');
    }).not.toThrow();
  },
);

it.each(['0.0.0.0:1', '10.0.0.1:1', '[::]:1', '::', 'fe80::1', 'localhost.example:1', '127.0.0.1.example:1'])(
  'refuses plain text on %s',
  async (address) => {
    expect(
      await refusal(() => {
        requireAllowed({ kind: 'plain-text-loopback' }, address, 'go elsewhere');
      }),
    ).toMatch(/^usage: .* -> go elsewhere$/);
  },
);
