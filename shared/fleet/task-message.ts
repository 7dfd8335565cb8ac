import type * as proto from '../../gen/fleet/v1/work.ts';
import { partialLength } from '../statistics/partial.ts';
import { maxTaskBytes } from './protocol.ts';
import type { BlobSummary, FinishedTask, Lease, RunningTask, TaskIdentity, TaskPhase, WorkerHello } from './task.ts';
import {
  kindsFromMessage,
  layersFromMessage,
  outputsFromMessage,
  unitFromMessage,
  unitToMessage,
} from './unit-message.ts';
import { requireName, requirePart, violation } from './violation.ts';

export function phaseToMessage(phase: TaskPhase): proto.Phase {
  if (phase.kind === 'step') return { phase: { $case: 'step', value: phase.step } };
  return { phase: { $case: phase.kind, value: {} } };
}

/** @throws LetheError `protocol-violated` as all below do for what does not fit. */
export function phaseFromMessage(message: proto.Phase | undefined): TaskPhase {
  const phase = requirePart(message?.phase, 'phase');
  return phase.$case === 'step' ? { kind: 'step', step: phase.value } : { kind: phase.$case };
}

export function blobToMessage({ length, sha256 }: BlobSummary): proto.Blob {
  return { length, sha256: Buffer.from(sha256, 'hex') };
}

/** Lengths are refused before memory is taken for them. */
export function blobsFromMessage(blobs: readonly proto.Blob[]): readonly BlobSummary[] {
  const total = blobs.reduce((sum, { length }) => sum + length, 0);
  if (!(total <= maxTaskBytes)) throw violation('blobs', `they have ${total} bytes, and ${maxTaskBytes} are accepted`);
  return blobs.map(({ length, sha256 }) => ({ length, sha256: Buffer.from(sha256).toString('hex') }));
}

export function runningToMessage({ phase, ...identity }: RunningTask): proto.Running {
  return { ...identityToMessage(identity), phase: phaseToMessage(phase) };
}

export function runningFromMessage(message: proto.Running): RunningTask {
  return { ...identityFromMessage(message), phase: phaseFromMessage(message.phase) };
}

export function finishedToMessage(finished: FinishedTask): proto.Finished {
  const { layers, steps, items, blobs, timings, calls, timesteps } = finished;
  return {
    ...identityToMessage(finished),
    layers: layers.map((layer) => ({ ...layer })),
    steps,
    items,
    blobs: blobs.map(blobToMessage),
    timings: { ...timings },
    calls: { ...calls },
    timesteps: [...timesteps],
  };
}

export function finishedFromMessage(message: proto.Finished): FinishedTask {
  const { steps, items } = message;
  const layers = layersFromMessage(message.layers);
  const blobs = blobsFromMessage(message.blobs);
  const identity = identityFromMessage(message);
  if (identity.sites.includes('image')) {
    if (blobs.length !== items) throw violation('blobs', `there are ${blobs.length} images of ${items} trajectories`);
  } else {
    const expected = 4 * partialLength(layers, steps, items);
    const [partial] = blobs;
    if (partial?.length !== expected)
      throw violation('blobs', `the partial has ${partial?.length ?? 0} bytes, and its shape asks for ${expected}`);
  }
  return {
    ...identity,
    layers,
    steps,
    items,
    blobs,
    timings: { ...requirePart(message.timings, 'timings') },
    calls: { ...requirePart(message.calls, 'calls') },
    timesteps: message.timesteps,
  };
}

export function helloToMessage({ running, finished, capabilities, ...hello }: WorkerHello): proto.Hello {
  const { providers, checkpoints, units } = capabilities;
  return {
    ...hello,
    capabilities: { ...capabilities, providers: [...providers], checkpoints: [...checkpoints], units: [...units] },
    running: running.map(runningToMessage),
    finished: finished.map(finishedToMessage),
  };
}

export function helloFromMessage(message: proto.Hello): WorkerHello {
  const capabilities = requirePart(message.capabilities, 'hello.capabilities');
  return {
    protocol: message.protocol,
    worker: requireName(message.worker, 'hello.worker'),
    capabilities: { ...capabilities, units: kindsFromMessage(capabilities.units) },
    running: message.running.map(runningFromMessage),
    finished: message.finished.map(finishedFromMessage),
  };
}

export function leaseToMessage(lease: Lease, states: readonly BlobSummary[]): proto.Lease {
  const { unit, sites, deadlines, ...rest } = lease;
  return {
    ...rest,
    unit: unitToMessage(unit),
    sites: [...sites],
    deadlines: { ...deadlines },
    states: states.map(blobToMessage),
  };
}

export function leaseFromMessage(message: proto.Lease): {
  readonly lease: Lease;
  readonly states: readonly BlobSummary[];
} {
  const { task, campaign, replySubject, memory, keepStates } = message;
  const lease = {
    task: requireName(task, 'lease.task'),
    campaign,
    unit: unitFromMessage(message.unit),
    sites: outputsFromMessage(message.sites),
    replySubject,
    deadlines: { ...requirePart(message.deadlines, 'lease.deadlines') },
    memory,
    keepStates,
  };
  return { lease, states: blobsFromMessage(message.states) };
}

function identityToMessage({ task, unit, sites, replySubject }: TaskIdentity): proto.Running {
  return { task, unit, sites: [...sites], replySubject, phase: undefined };
}

function identityFromMessage(message: Omit<proto.Running, 'phase'>): TaskIdentity {
  const { task, unit, replySubject } = message;
  if (!/^[0-9a-f]{64}$/.test(unit)) throw violation('unit', 'it is no hash of a unit');
  return { task: requireName(task, 'task'), unit, sites: outputsFromMessage(message.sites), replySubject };
}
