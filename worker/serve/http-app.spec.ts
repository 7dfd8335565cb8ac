import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bearerAccess } from './access.ts';
import { checkpoint, failureOf, serve } from './http-apps.spec-support.ts';

describe('the images API', () => {
  it('answers in the shape of the OpenAI API, and names the version', async () => {
    const { post, url, lines } = await serve();
    const response = await post({
      prompt: 'long story',
      n: 2,
      seed: 7,
      size: '64x128',
      model: 'emoji-sd',
      user: 'ada',
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('lethe-manifest-version')).toBe('3');
    expect(await response.json()).toMatchObject({
      created: expect.any(Number) as number,
      data: [
        { b64_json: 'Bw==', seed: 7 },
        { b64_json: 'CA==', seed: 8 },
      ],
      output_format: 'png',
      size: '64x128',
      lethe: { manifest_version: 3, manifest_digest: 'd'.repeat(64), checkpoint, truncated: 'the rest' },
    });
    const models = (await (await fetch(`${url}/v1/models`)).json()) as { readonly data: readonly object[] };
    expect(models).toEqual({
      object: 'list',
      data: [{ id: 'emoji-sd', object: 'model', created: 1, owned_by: 'lethe' }],
    });
    expect(await (await fetch(`${url}/v1/models/emoji-sd`)).json()).toEqual(models.data[0]);
    expect(lines[0]).toMatchObject({ status: 200, route: '/v1/images/generations', version: '3' });
    expect(JSON.stringify(lines)).not.toContain('story');
  });

  it('takes what stands for nothing, and another seed each time', async () => {
    const { post } = await serve();
    const plain = {
      model: null,
      n: null,
      size: 'auto',
      seed: null,
      response_format: 'b64_json',
      quality: 'auto',
      style: null,
    };
    const seeds = new Set<number>();
    for (let i = 0; i < 4; i++) {
      const body = (await (await post({ prompt: 'a cat', ...plain })).json()) as { data: readonly { seed: number }[] };
      seeds.add(body.data[0]?.seed ?? -1);
    }
    expect(seeds.size).toBe(4);
  });

  it.each<[string, unknown, number, string, string | null]>([
    ['no prompt', {}, 400, 'invalid_type', 'prompt'],
    ['an empty prompt', { prompt: '' }, 400, 'invalid_value', 'prompt'],
    ['a prompt that is no text', { prompt: ['a cat'] }, 400, 'invalid_type', 'prompt'],
    ['half a surrogate pair', '{"prompt": "\\ud800"}', 400, 'invalid_value', 'prompt'],
    ['a prompt beyond all bounds', { prompt: 'secret '.repeat(5000) }, 400, 'invalid_value', 'prompt'],
    [
      'more marks on a letter than the tokenizer takes',
      { prompt: `secret a${'\u0301\u200d'.repeat(1025)}` },
      400,
      'invalid_value',
      'prompt',
    ],
    ['no image', { prompt: 'secret', n: 0 }, 400, 'invalid_value', 'n'],
    ['eleven images', { prompt: 'secret', n: 11 }, 400, 'invalid_value', 'n'],
    ['half an image', { prompt: 'secret', n: 1.5 }, 400, 'invalid_type', 'n'],
    ['a size that is not there', { prompt: 'secret', size: '1024x1024' }, 400, 'invalid_value', 'size'],
    ['a seed that JSON cannot tell from the next', { prompt: 'secret', seed: 2 ** 53 }, 400, 'invalid_value', 'seed'],
    [
      'seeds of which the last is beyond that',
      { prompt: 'secret', n: 2, seed: 2 ** 53 - 1 },
      400,
      'invalid_value',
      'seed',
    ],
    ['a negative seed', { prompt: 'secret', seed: -1 }, 400, 'invalid_value', 'seed'],
    ['a URL', { prompt: 'secret', response_format: 'url' }, 400, 'invalid_value', 'response_format'],
    ['another quality', { prompt: 'secret', quality: 'hd' }, 400, 'invalid_value', 'quality'],
    ['a style', { prompt: 'secret', style: 'vivid' }, 400, 'invalid_type', 'style'],
    ['a stream', { prompt: 'secret', stream: true }, 400, 'invalid_value', 'stream'],
    ['what nobody knows', { prompt: 'secret', stepps: 3 }, 400, 'unknown_parameter', 'stepps'],
    ['another model', { prompt: 'secret', model: 'dall-e-3' }, 404, 'model_not_found', 'model'],
    ['no object', '[1]', 400, 'invalid_type', null],
    ['no JSON', '{"prompt": "secret"', 400, 'invalid_json', null],
    ['a body beyond all bounds', { prompt: 'secret', user: 'x'.repeat(300_000) }, 413, 'request_too_large', null],
  ])('refuses %s, and never quotes the prompt', async (_, body, status, code, param) => {
    const { post, lines } = await serve();
    const response = await post(body);
    expect(response.status).toBe(status);
    const failure = await failureOf(response);
    expect(failure).toMatchObject({ type: 'invalid_request_error', code, param });
    expect(JSON.stringify([failure, lines])).not.toContain('secret');
  });

  /** A request that does not say how long its body is. */
  async function postParts(url: string, ...parts: readonly string[]): Promise<{ status: number; text: string }> {
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const sending = httpRequest(`${url}/v1/images/generations`, { method: 'POST', headers });
    for (const part of parts) sending.write(part);
    sending.end();
    const [response] = (await once(sending, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, text: await text(response) };
  }

  it('reads a body that comes in parts, and refuses one that is too large all the same', async () => {
    const { url, failures } = await serve();
    const done = await postParts(url, '{"prompt": "a \u00e9', 'l\u00e9phant", "se', `ed": ${2 ** 53 - 1}}`);
    expect(done.status).toBe(200);
    expect(JSON.parse(done.text)).toMatchObject({ data: [{ seed: 2 ** 53 - 1 }] });
    const large = await postParts(url, '{"prompt": "secret', ...Array.from({ length: 9 }, () => 'x'.repeat(40_000)));
    expect(large.status).toBe(413);
    expect(JSON.parse(large.text)).toMatchObject({ error: { code: 'request_too_large' } });
    expect((await postParts(url)).status).toBe(400);
    expect(failures).toEqual([]);
  });

  it.each([
    { moderation: 'auto' },
    { moderation: 'low' },
    { output_compression: 100 },
    { partial_images: 0 },
    { stream: false, background: 'auto', quality: 'auto', output_format: 'png', response_format: 'b64_json' },
    { moderation: null, output_compression: null, partial_images: null, stream: null, background: null, user: null },
  ])('takes a value that asks for what is done anyway: %j', async (given) => {
    const { post } = await serve();
    expect((await post({ prompt: 'a cat', seed: 7, ...given })).status).toBe(200);
  });

  it('says what is wrong in its own words', async () => {
    const { post } = await serve();
    const said = async (body: object): Promise<string> => (await failureOf(await post(body))).message;
    expect(await said({ prompt: '' })).toBe('prompt: it is empty: say what the picture is to show.');
    expect(await said({})).toBe('prompt: it has to be there, and to be text.');
    for (const n of [0, 11, 1.5, 'two']) expect(await said({ prompt: 'x', n })).toMatch(/from 1 to 10\.$/);
  });

  it('refuses bytes that are not UTF-8, and a body that is packed', async () => {
    const { url } = await serve();
    const send = (bytes: Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
      fetch(`${url}/v1/images/generations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: Uint8Array.from(bytes),
      });
    const body = Buffer.from('{"prompt": "un \u00e9l\u00e9phant"}');
    const latin = await send(Buffer.from(body.toString('utf8'), 'latin1'));
    expect([latin.status, (await failureOf(latin)).code]).toEqual([400, 'invalid_encoding']);
    const packed = await send(gzipSync(body), { 'content-encoding': 'gzip' });
    expect([packed.status, (await failureOf(packed)).message]).toEqual([
      415,
      'The body has to come as it is: leave out content-encoding.',
    ]);
    expect((await send(body, { 'content-type': 'application/json; charset=iso-8859-1' })).status).toBe(415);
    expect((await send(body, { 'content-type': 'application/json; charset="UTF-8"' })).status).toBe(200);
  });

  it('names the methods of a path, and the paths where there is none', async () => {
    const { url } = await serve();
    for (const [method, path, allow] of [
      ['GET', '/v1/images/generations', 'POST'],
      ['PUT', '/v1/images/generations?x=1', 'POST'],
      ['POST', '/v1/models', 'GET, HEAD'],
      ['DELETE', '/v1/models/emoji-sd', 'GET, HEAD'],
      ['POST', '/health', 'GET, HEAD'],
    ] as const) {
      const response = await fetch(`${url}${path}`, { method });
      expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
      expect((await failureOf(response)).code).toBe('method_not_allowed');
    }
    for (const path of ['/', '/images/generations', '/v1/models/a/b']) {
      const response = await fetch(`${url}${path}`);
      expect(response.status).toBe(404);
      expect((await failureOf(response)).message).toContain('POST /v1/images/generations');
    }
  });

  it('refuses other types, methods and places', async () => {
    const { post, url } = await serve();
    const form = await post('prompt=x', { 'content-type': 'application/x-www-form-urlencoded' });
    expect([form.status, (await failureOf(form)).code]).toEqual([415, 'unsupported_media_type']);
    expect((await fetch(`${url}/v1/images/edits`, { method: 'POST' })).status).toBe(404);
    expect((await failureOf(await fetch(`${url}/nowhere`))).code).toBe('not_found');
    expect((await fetch(`${url}/v1/models/other`)).status).toBe(404);
  });

  it('lets in who has a key, and nobody learns more', async () => {
    const access = bearerAccess('# team a\nkey-of-team-a-0123456789\n\nkey-of-team-b-0123456789\n', 'keys.txt');
    const { post, url } = await serve({ access });
    for (const authorization of [
      '',
      'Bearer',
      'Bearer key-of-team-a',
      'Basic key-of-team-a-0123456789',
      'Bearer # team a',
    ]) {
      const refused = await post({ prompt: 'x' }, authorization === '' ? {} : { authorization });
      expect([refused.status, (await failureOf(refused)).code]).toEqual([401, 'invalid_api_key']);
    }
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    for (const team of ['a', 'b'])
      expect((await post({ prompt: 'x' }, { authorization: `Bearer key-of-team-${team}-0123456789` })).status).toBe(
        200,
      );
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(() => bearerAccess('# none\n', 'keys.txt')).toThrow('holds no key');
    expect(() => bearerAccess('a-key-that-is-long\nshort\n', 'keys.txt')).toThrow('keys.txt:2');
  });
});
