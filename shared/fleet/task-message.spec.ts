import { describe, expect, it } from 'vitest';
import { CoordinatorMessage, WorkerMessage } from '../../gen/fleet/v1/work.ts';
import { LetheError } from '../error/lethe-error.ts';
import { type DenoiseUnit, type ImageUnit, type Unit, unitHash } from '../unit/unit.ts';
import { summaryOf } from './blob.ts';
import { partialFromBytes, partialToBytes } from './partial-bytes.ts';
import { isAccepted, maxTaskBytes } from './protocol.ts';
import type { FinishedTask, Lease, WorkerHello } from './task.ts';
import {
  finishedFromMessage,
  finishedToMessage,
  helloFromMessage,
  helloToMessage,
  leaseFromMessage,
  leaseToMessage,
} from './task-message.ts';
import { failureFromMessage, failureToMessage, unitFromMessage, unitToMessage } from './unit-message.ts';

const violated: unknown = expect.objectContaining({ code: 'protocol-violated' });
const common = { checkpoint: 'sha256:c', numerics: 'cpu', graph: '1' };
const denoise: DenoiseUnit = {
  kind: 'denoise',
  ...common,
  sampling: { scheduler: 'pndm', steps: 50, guidance: 7.3, height: 16, width: 24 },
  trajectories: [{ prompt: 'a café', seed: '18446744073709551615' }],
  window: { from: 3, to: 10 },
};
const unpruned: ImageUnit = {
  kind: 'image',
  ...common,
  sampling: denoise.sampling,
  trajectories: denoise.trajectories,
};
const image: ImageUnit = { ...unpruned, mask: 'a'.repeat(64) };
const encode: Unit = { kind: 'encode', ...common, prompts: ['', 'a cat'] };
const values = Float32Array.of(1.5, -0, 3e38, 1e-40, 0.1, 2);
const bytes = partialToBytes({ unit: '', layers: [], steps: 1, items: 1, values });
const finished: FinishedTask = {
  task: 't',
  unit: unitHash(denoise),
  sites: ['ffn2', 'ffn1'],
  replySubject: 's',
  layers: [{ site: 'ffn2', name: 'l', neurons: 3 }],
  steps: 2,
  items: 1,
  blobs: [summaryOf(bytes)],
  timings: { loading: 1.5, encoding: 2, steps: 0, decoding: 0.5 },
  calls: { unetCalls: 2 ** 40, unetRuns: 1, prompts: 2 },
  timesteps: [981, 961.5],
};

describe('messages', () => {
  it('carry units with their hash', () => {
    for (const unit of [denoise, encode, image, unpruned]) {
      const lease: Lease = {
        task: 't',
        campaign: 'c',
        unit,
        sites: unit.kind === 'image' ? ['image'] : ['ffn2'],
        replySubject: 's',
        deadlines: { loading: 1, encoding: 2, step: 3, decoding: 4 },
        memory: 2 ** 40,
        keepStates: true,
      };
      const states = [summaryOf(Uint8Array.of(1))];
      const sent = CoordinatorMessage.encode({
        message: { $case: 'lease', value: leaseToMessage(lease, states) },
      }).finish();
      const { message } = CoordinatorMessage.decode(sent);
      const received = leaseFromMessage(message?.value as never);
      expect(received).toEqual({ lease, states });
      expect(unitHash(received.lease.unit)).toBe(unitHash(unit));
    }
  });

  it('carry hellos', () => {
    const { task, unit, sites, replySubject } = finished;
    const hello: WorkerHello = {
      protocol: 1,
      worker: 'w',
      capabilities: {
        device: 'd',
        memory: 2 ** 41,
        providers: ['cpu'],
        numerics: 'n',
        graph: '1',
        checkpoints: ['sha256:c'],
        version: '0.1.0',
        units: ['denoise', 'encode', 'image'],
      },
      running: [
        { task, unit, sites, replySubject, phase: { kind: 'step', step: 0 } },
        { task, unit, sites, replySubject, phase: { kind: 'waiting' } },
      ],
      finished: [finished],
    };
    const sent = WorkerMessage.encode({ message: { $case: 'hello', value: helloToMessage(hello) } }).finish();
    expect(helloFromMessage(WorkerMessage.decode(sent).message?.value as never)).toEqual(hello);
  });

  it('carry values bit by bit, from any place in a buffer', () => {
    const shifted = Buffer.concat([Buffer.alloc(1), bytes]).subarray(1);
    for (const received of [bytes, shifted]) {
      const partial = partialFromBytes(finished, received);
      expect(partial.values).toEqual(values);
      expect(Object.is(partial.values[1], -0)).toBe(true);
    }
    expect(() => partialFromBytes(finished, bytes.subarray(4))).toThrow(violated);
  });

  it('are refused where they do not fit together', () => {
    const message = finishedToMessage(finished);
    const refused = (change: Partial<typeof message>) => {
      expect(() => finishedFromMessage({ ...message, ...change })).toThrow(violated);
    };
    refused({ steps: 3 });
    refused({ blobs: [] });
    refused({ unit: 'no hash' });
    refused({ sites: [] });
    refused({ sites: ['ffn3'] });
    refused({ task: '' });
    refused({ task: 'a\tb' });
    refused({ timings: undefined });
    refused({ blobs: [...message.blobs, { length: maxTaskBytes, sha256: Buffer.alloc(32) }] });
    const unit = unitToMessage(denoise);
    expect(() => unitFromMessage({ ...unit, work: undefined })).toThrow(violated);
    const { work } = unit;
    if (work?.$case !== 'denoise') throw new Error('it is one');
    const trajectories = [{ prompt: '', seed: '-1' }];
    expect(() =>
      unitFromMessage({ ...unit, work: { $case: 'denoise', value: { ...work.value, trajectories } } }),
    ).toThrow(violated);
  });

  it('carry failures of every kind', () => {
    const failure = { what: 'w', where: 'h', why: 'y', next: 'n', layer: 'l', step: 0 };
    const message = failureToMessage(new LetheError('non-finite', failure));
    expect(failureFromMessage(message)).toEqual({ code: 'non-finite', ...failure });
    expect(failureToMessage(new RangeError('odd'))).toMatchObject({ code: 'internal', why: 'odd' });
  });
});

it('accepts this version and the one before, and none below the first', () => {
  expect([0, 1, 2, 99].map(isAccepted)).toEqual([false, true, false, false]);
});
