import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { listenHttp } from './http-server.ts';

const app = new Hono().get('/', (context) => context.text('here'));
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe('the HTTP server', () => {
  it.skipIf(!hasOpenssl)('speaks TLS with the certificate it is given', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lethe-tls-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
    expect(spawnSync('openssl', [...made, ...subject, '-keyout', key, '-out', cert]).status).toBe(0);
    const certificate = await readFile(cert);
    const server = await listenHttp(app, '127.0.0.1', 0, { certificate, key: await readFile(key) });
    try {
      expect(server.url).toMatch(/^https:/);
      const [response] = (await once(request(server.url, { ca: certificate }).end(), 'response')) as [IncomingMessage];
      expect(response.statusCode).toBe(200);
      response.resume();
    } finally {
      await server.close();
      await rm(folder, { recursive: true });
    }
  });

  it('says what is wrong with a port that is taken, and with a certificate that is none', async () => {
    const server = await listenHttp(app, '127.0.0.1', 0, undefined);
    const port = Number(new URL(server.url).port);
    await expect(listenHttp(app, '127.0.0.1', port, undefined)).rejects.toMatchObject({
      code: 'listen-failed',
      where: `127.0.0.1:${port}`,
    });
    await server.close();
    const none = { certificate: Buffer.from('none'), key: Buffer.from('none') };
    await expect(listenHttp(app, '127.0.0.1', 0, none)).rejects.toMatchObject({ code: 'listen-failed' });
  });
});
