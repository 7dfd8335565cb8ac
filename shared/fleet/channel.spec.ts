import { describe, expect, it } from 'vitest';
import { clientOptions, namingProxy } from './channel.ts';

const cause = new Error('14 UNAVAILABLE: no connection');

describe('a proxy that the environment names', () => {
  it.each(['127.0.0.1:7400', 'localhost:1', '[::1]:7400', '127.3.2.1:5'])('is not used for %s', (address) => {
    expect(clientOptions(address)).toMatchObject({ 'grpc.enable_http_proxy': 0 });
    expect(namingProxy(address, cause, { http_proxy: 'http://proxy:3128' })).toBe(cause);
  });

  it.each(['http_proxy', 'https_proxy', 'grpc_proxy'])('elsewhere is named where a connection fails: %s', (name) => {
    expect(clientOptions('host.example:7400')).not.toHaveProperty('grpc.enable_http_proxy');
    const error = namingProxy('host.example:7400', cause, { [name]: 'http://user:secret@proxy:3128' });
    expect(error).toMatchObject({ code: 'fleet-lost', message: expect.stringContaining(name) as string });
    expect(String(error)).not.toContain('secret');
  });

  it('says nothing where there is none', () => {
    expect(namingProxy('host.example:7400', cause, { http_proxy: '' })).toBe(cause);
  });
});
