import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { type HttpServer, listenHttp } from './http-server.ts';

const app = new Hono().get('/', (context) => context.text('here'));
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** A client that has said nothing yet. */
async function clientOf({ url }: HttpServer): Promise<Socket> {
  const client = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
  await once(client, 'connect');
  return client;
}

describe('the HTTP server', () => {
  it.skipIf(!hasOpenssl)('speaks TLS with the certificate it is given', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lethe-tls-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
    expect(spawnSync('openssl', [...made, ...subject, '-keyout', key, '-out', cert]).status).toBe(0);
    const certificate = await readFile(cert);
    const server = await listenHttp(app, '127.0.0.1', 0, { certificate, key: await readFile(key) }, 0);
    try {
      expect(server.url).toMatch(/^https:/);
      const [response] = (await once(request(server.url, { ca: certificate }).end(), 'response')) as [IncomingMessage];
      expect(response.statusCode).toBe(200);
      response.resume();
      // A connection without a handshake is none that node's HTTPS server knows of.
      await clientOf(server);
    } finally {
      await server.close();
      await rm(folder, { recursive: true });
    }
  });

  it('ends though clients have said nothing or half of something, once it has answered what has come whole', async () => {
    let [begun, go] = [(): void => undefined, (): void => undefined];
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const open = new Promise<void>((resolve) => {
      go = resolve;
    });
    const slow = new Hono()
      .get('/', async (context) => {
        begun();
        await open;
        return context.text('made');
      })
      .post('/', async (context) => context.text(await context.req.text().catch(() => '')));
    const graceMs = 50;
    const [server, other] = [
      await listenHttp(slow, '127.0.0.1', 0, undefined, graceMs),
      await listenHttp(slow, '127.0.0.1', 0, undefined, graceMs),
    ];
    const said = ['', 'GET / HT', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf'];
    const clients = await Promise.all(
      said.map(async (text) => {
        const client = await clientOf(server);
        client.resume().write(text);
        return client;
      }),
    );
    (await clientOf(other)).resume();
    const running = fetch(server.url);
    await started;
    const cut = Promise.all(clients.map((client) => once(client, 'close')));
    const closed = server.close();
    // It ends by its grace alone, which began later: the first server has looked by then.
    await other.close();
    go();
    expect(await (await running).text()).toBe('made');
    await Promise.all([closed, cut]);
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
