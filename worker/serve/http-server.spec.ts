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
import { connectionLimit } from './connections.ts';
import { servedHosts } from './host-check.ts';
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
    const server = await listenHttp(app, '127.0.0.1', 0, { certificate, key: await readFile(key) }, undefined, {
      graceMs: 0,
    });
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
      await listenHttp(slow, '127.0.0.1', 0, undefined, undefined, { graceMs }),
      await listenHttp(slow, '127.0.0.1', 0, undefined, undefined, { graceMs }),
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

  it('closes connections that say nothing, or not enough', async () => {
    const server = await listenHttp(app, '127.0.0.1', 0, undefined, undefined, { silentMs: 50, graceMs: 0 });
    const closed = ['', 'GET / HT', 'GET / HTTP/1.1\r\nhost: x\r\n'].map(async (text) => {
      const client = await clientOf(server);
      client.resume().write(text);
      await once(client, 'close');
    });
    await Promise.all(closed);
    await server.close();
  });

  it('has room for a request however many connections say nothing', async () => {
    const server = await listenHttp(app, '127.0.0.1', 0, undefined, undefined, { connections: 4, graceMs: 0 });
    const clients: Socket[] = [];
    for (let i = 0; i < 12; i++) clients.push((await clientOf(server)).resume());
    for (const client of clients.slice(0, 8)) if (!client.closed) await once(client, 'close');
    expect(await (await fetch(server.url)).text()).toBe('here');
    expect(clients.slice(9).some((client) => client.closed)).toBe(false);
    await server.close();
  });

  it('keeps descriptors for itself', () => {
    const limits = (soft: string): string =>
      `Limit  Soft Limit  Hard Limit\nMax open files            ${soft}   4096  files\n`;
    const counts = ['1024', '256', '1048576', 'unlimited'].map((soft) => connectionLimit(limits(soft)));
    expect([...counts, connectionLimit('')]).toEqual([768, 16, 1024, 1024, 1024]);
  });

  /** What is answered to bytes. */
  async function said(server: HttpServer, text: string): Promise<string> {
    const client = await clientOf(server);
    client.end(text);
    const parts: string[] = [];
    for await (const part of client.setEncoding('utf8')) parts.push(String(part));
    return parts.join('');
  }

  it('takes a request by the names that it has', async () => {
    const hosts = servedHosts(['Lethe.example'], '127.0.0.1', false);
    const server = await listenHttp(app, '127.0.0.1', 0, undefined, hosts, { graceMs: 0 });
    const status = async (text: string): Promise<number> =>
      Number(/^HTTP\/1\.1 (\d+)/.exec(await said(server, text))?.[1]);
    const get = (...headers: string[]): Promise<number> =>
      status(['GET / HTTP/1.1', 'Connection: close', ...headers, '', ''].join('\r\n'));
    expect(await status('GET / HTTP/1.0\r\n\r\n')).toBe(200);
    expect(await get()).toBe(400);
    for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1:8080', '[::1]:80', 'lethe.EXAMPLE'])
      expect([host, await get(`Host: ${host}`)]).toEqual([host, 200]);
    for (const host of ['evil.example', 'localhost.evil.example:80', '10.0.0.1'])
      expect([host, await get(`Host: ${host}`)]).toEqual([host, 421]);
    for (const host of ['a@localhost', 'localhost/x', 'a b'])
      expect([host, await get(`Host: ${host}`)]).toEqual([host, 400]);
    expect(await get('Host: localhost', 'host: localhost')).toBe(400);
    await server.close();
  });

  it('has any name where keys are asked for, or others than this machine ask', () => {
    expect(servedHosts([], '127.0.0.1', true)).toBeUndefined();
    expect(servedHosts([], '0.0.0.0', false)).toBeUndefined();
    expect(servedHosts([], '::1', false)?.has('evil.example')).toBe(false);
    expect(servedHosts(['a.example'], '0.0.0.0', true)?.has('evil.example')).toBe(false);
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
