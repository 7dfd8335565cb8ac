import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { type FetchImagesResponse, ImageServiceService } from '../../gen/fleet/v1/image.ts';
import { FleetClient } from './fleet-client.ts';

const source = { checkpoint: 'sha256:1', directory: undefined, variant: undefined, numerics: 'cpu' };
const sampling = { scheduler: undefined, steps: 1, guidance: 1, height: undefined, width: undefined };
const trajectories = ['0', '1', '2'].map((seed) => ({ prompt: 'a cat', seed }));

it('speaks plain text on loopback alone, and says where its commands can be run', () => {
  expect(() => new FleetClient('10.0.0.1:7400')).toThrow(
    expect.objectContaining({ code: 'usage', next: expect.stringContaining('SSH tunnel') as string }),
  );
});

describe('FleetClient.images', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /** The images that a coordinator hands out by these pieces, for three that were asked for. */
  async function fetched(...pieces: readonly (readonly [image: number, data: string, last: boolean])[]) {
    const server = new Server();
    const fetch = (call: ServerWritableStream<unknown, FetchImagesResponse>): void => {
      for (const [image, data, last] of pieces) call.write({ image, data: Buffer.from(data), last });
      call.end();
    };
    server.addService(ImageServiceService, { fetch });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    const client = new FleetClient(`127.0.0.1:${port}`);
    closing.push(() => {
      client.close();
      server.forceShutdown();
    });
    const images: string[] = [];
    for await (const image of client.images({ source, groups: [{ sampling, masks: [], trajectories }] }))
      images.push(Buffer.from(image).toString());
    return images;
  }

  it('puts images together from their pieces', async () => {
    expect(await fetched([0, 'a', false], [0, 'b', true], [1, 'c', true], [2, 'd', true])).toEqual(['ab', 'c', 'd']);
  });

  it.each([
    [
      'one is left out',
      [
        [0, 'a', true],
        [2, 'c', true],
      ],
    ],
    [
      'one comes twice',
      [
        [0, 'a', true],
        [0, 'a', true],
      ],
    ],
    [
      'one begins before the other has ended',
      [
        [0, 'a', false],
        [1, 'b', true],
      ],
    ],
    [
      'there are more than were asked for',
      [
        [0, 'a', true],
        [1, 'b', true],
        [2, 'c', true],
        [3, 'd', true],
      ],
    ],
    [
      'some are missing at the end',
      [
        [0, 'a', true],
        [1, 'b', true],
      ],
    ],
    [
      'the last has no end',
      [
        [0, 'a', true],
        [1, 'b', true],
        [2, 'c', false],
      ],
    ],
  ] as const)('refuses them where %s', async (_, pieces) => {
    await expect(fetched(...pieces)).rejects.toMatchObject({ code: 'protocol-violated' });
  });
});
