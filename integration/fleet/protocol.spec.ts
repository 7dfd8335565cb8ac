import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hello, type WorkerMessage, WorkServiceClient } from '../../gen/fleet/v1/work.ts';
import { FleetServiceClient } from '../../gen/fleet/v1/campaign.ts';
import type { WorkerHello } from '../../shared/fleet/task.ts';
import { helloToMessage } from '../../shared/fleet/task-message.ts';
import { type ApiServer, startApiServer } from '../../coordinator/api/api-server.ts';
import { systemClock } from '../../worker/run/clock.ts';
import { CoordinatorLink } from '../../worker/run/coordinator-link.ts';
import { type HandDispatch, noCampaigns, noImages, noMasks, startCoordinator } from './fleet.spec-support.ts';

const hello: WorkerHello = {
  protocol: 1,
  worker: 'raw',
  capabilities: {
    device: 'd',
    memory: 1,
    providers: ['cpu'],
    numerics: 'n',
    graph: '1',
    checkpoints: [],
    version: '0',
    units: ['denoise', 'encode'],
  },
  running: [],
  finished: [],
};

let server: ApiServer;
let dispatch: HandDispatch;

beforeAll(async () => {
  ({ server, dispatch } = await startCoordinator());
});
afterAll(() => {
  server.close();
});

const say = (change: Partial<Hello>): WorkerMessage => ({
  message: { $case: 'hello', value: { ...helloToMessage(hello), ...change } },
});

/** The status a stream ends with after these messages. */
async function refusal(...messages: readonly WorkerMessage[]): Promise<ServiceError> {
  const client = new WorkServiceClient(server.address, credentials.createInsecure());
  const stream = client.work();
  stream.on('data', () => undefined);
  const refused = new Promise<ServiceError>((resolve) => stream.on('error', resolve));
  for (const message of messages) stream.write(message);
  const error = await refused;
  client.close();
  return error;
}

describe('WorkService', () => {
  it('refuses versions that are neither its own nor the one before', async () => {
    for (const protocol of [0, 2, 99]) {
      const { code, details } = await refusal(say({ protocol }));
      expect(code).toBe(status.FAILED_PRECONDITION);
      expect(details).toContain(`version ${protocol}`);
    }
  });

  it('refuses messages larger than a mebibyte', async () => {
    const { code } = await refusal(say({ worker: 'w'.repeat(2 * 1024 * 1024) }));
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
  });

  it('refuses what breaks the protocol', async () => {
    const chunk: WorkerMessage = { message: { $case: 'chunk', value: { task: 't', blob: 0, data: Buffer.alloc(1) } } };
    const broken: readonly (readonly WorkerMessage[])[] = [
      [{ message: { $case: 'credits', value: { added: 1 } } }],
      [say({ worker: '' })],
      [say({ worker: 'line\nfeed' })],
      [say({ capabilities: undefined })],
      [say({}), say({})],
      [say({}), chunk],
      [say({}), { message: undefined }],
      [say({}), { message: { $case: 'progress', value: { task: 't', phase: undefined } } }],
    ];
    for (const messages of broken) expect((await refusal(...messages)).code).toBe(status.INVALID_ARGUMENT);
  });

  it('tells dispatch that a worker which broke the protocol is gone', async () => {
    await refusal(say({ worker: 'breaker' }), say({}));
    const gone = await dispatch.event('gone', ({ cause }) => cause.where === 'hello');
    expect(gone.cause.code).toBe('protocol-violated');
    await expect(dispatch.workers.at(-1)?.collect({} as never)).rejects.toMatchObject({ code: 'protocol-violated' });
  });

  it('gives no lease without a credit', async () => {
    const client = new WorkServiceClient(server.address, credentials.createInsecure());
    const stream = client.work();
    stream.on('error', () => undefined);
    stream.write(say({ worker: 'poor' }));
    const worker = await dispatch.until(({ workers }) => workers.find((each) => each.hello.worker === 'poor'));
    await expect(worker.lease({} as never, [])).rejects.toMatchObject({ code: 'protocol-violated' });
    stream.cancel();
    client.close();
  });
});

describe('the server', () => {
  it('speaks plain text on loopback alone, and so do workers', async () => {
    const start = startApiServer(
      '0.0.0.0:0',
      { kind: 'plain-text-loopback' },
      'c',
      dispatch,
      noCampaigns,
      noMasks,
      noImages,
    );
    await expect(start).rejects.toMatchObject({ code: 'usage', next: expect.stringContaining('--listen') as string });
    expect(
      () => new CoordinatorLink(['10.0.0.1:1'], { kind: 'plain-text-loopback' }, systemClock, Math.random),
    ).toThrow(
      expect.objectContaining({
        code: 'usage',
        next: expect.stringContaining('on the machine of a coordinator') as string,
      }),
    );
  });

  it('tells its health by gRPC health v1', async () => {
    const method = '/grpc.health.v1.Health/Check';
    const check = (): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        const client = new Client(server.address, credentials.createInsecure());
        const same = (bytes: Buffer): Buffer => bytes;
        client.makeUnaryRequest(method, same, same, Buffer.alloc(0), (error, response) => {
          client.close();
          if (error === null && response !== undefined) resolve(response);
          else reject(error ?? new Error('no response'));
        });
      });
    // HealthCheckResponse { status = 1: SERVING 1, NOT_SERVING 2 }
    expect([...(await check())]).toEqual([8, 1]);
    server.setServing(false);
    expect([...(await check())]).toEqual([8, 2]);
    server.setServing(true);
  });

  it('answers people', async () => {
    const client = new FleetServiceClient(server.address, credentials.createInsecure());
    const workers = await new Promise((resolve) => {
      client.workers({}, (_, response) => {
        resolve(response);
      });
    });
    expect(workers).toEqual({ workers: [] });
    client.close();
  });
});
