/**
 * Entry point of the session thread: the only place that touches onnxruntime-node. run() blocks its thread for as long
 * as the model takes, so nothing else lives here. Requests are answered in the order they arrive.
 */
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { env, InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { withWeights } from '../../shared/model/graph/encode.ts';
import type { Parameter } from '../../shared/model/graph/value.ts';
import { widenHalf } from '../../shared/checkpoint/half-precision.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { FloatTensor } from '../../shared/tensor/float-tensor.ts';
import type { HostTensor, Reply, Request } from './protocol.ts';
import { readPruned } from './pruned-weights.ts';
import { sessionOptions } from './session-options.ts';
import { SwitchedWeights } from './switched-weights.ts';

// Fatal only, here and in every session: what fails is thrown and reported once, with what to do.
env.logLevel = 'fatal';

interface Opened {
  readonly session: InferenceSession;
  readonly switched: SwitchedWeights;
}

const sessions = new Map<number, Opened>();
let opened = 0;

async function answer(request: Exclude<Request, { kind: 'close' }>): Promise<Reply> {
  const { id } = request;
  switch (request.kind) {
    case 'support': {
      const providers = listSupportedBackends().map(({ name, bundled }) => ({ provider: name, bundled }));
      return { kind: 'supported', id, providers };
    }
    case 'open': {
      const pruned: { parameter: Parameter; bytes: Uint8Array }[] = [];
      for (const parameter of request.pruned) pruned.push({ parameter, bytes: await readPruned(parameter) });
      const switched = await SwitchedWeights.read(request.switched);
      const options = sessionOptions(request.settings, request.weightsDirectory);
      const session = await InferenceSession.create(withWeights(request.model, pruned), options);
      return keep(id, session, switched);
    }
    case 'open-file': {
      const options = sessionOptions(request.settings, dirname(request.path));
      return keep(id, await InferenceSession.create(request.path, options), await SwitchedWeights.read([]));
    }
    case 'run': {
      const { session, switched } = openedOf(request.session);
      const feeds = toRuntime(request.feeds);
      for (const { name, shape, values } of switched.feeds(request.set))
        feeds[name] = new Tensor('float32', values, [...shape]);
      const outputs = await session.run(feeds, request.outputs ?? session.outputNames);
      return { kind: 'ran', id, outputs: fromRuntime(outputs) };
    }
    case 'dispose': {
      await openedOf(request.session).session.release();
      sessions.delete(request.session);
      return { kind: 'disposed', id };
    }
  }
}

function keep(id: number, session: InferenceSession, switched: SwitchedWeights): Reply {
  opened += 1;
  sessions.set(opened, { session, switched });
  const outputs = session.outputMetadata.map((each) => {
    return { name: each.name, type: each.isTensor ? each.type : 'no tensor' };
  });
  return { kind: 'opened', id, session: opened, inputs: session.inputNames, outputs };
}

function openedOf(id: number): Opened {
  const found = sessions.get(id);
  if (found === undefined) throw defect(`session ${id}`, 'it is not open');
  return found;
}

function toRuntime(feeds: Readonly<Record<string, HostTensor>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { type, data, shape }]) => [name, new Tensor(type, data, [...shape])]),
  );
}

/** Copies: the runtime's buffers are its own and cannot be transferred. */
function fromRuntime(outputs: Readonly<Record<string, Tensor>>): Record<string, FloatTensor> {
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, floatsOf(name, tensor)]));
}

function floatsOf(name: string, { type, dims: shape, data }: Tensor): FloatTensor {
  if (data instanceof Float32Array) return { shape, data: data.slice() };
  // A Uint16Array, or a Float16Array where the engine has them: the bits are the same.
  if (type === 'float16' && ArrayBuffer.isView(data))
    return { shape, data: widenHalf(new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)) };
  throw defect(`output ${name}`, `it is ${type}; outputs have to be float32 or float16`);
}

function buffersOf(reply: Reply): ArrayBuffer[] {
  if (reply.kind !== 'ran') return [];
  return Object.values(reply.outputs).map((tensor) => tensor.data.buffer as ArrayBuffer);
}

/** What the other side of the thread has checked already. */
function defect(what: string, why: string): LetheError {
  return new LetheError('session-failed', {
    what: `cannot use ${what}`,
    why,
    next: 'report this as a defect of Lethe',
  });
}

/** See SessionThread: nothing is begun once its element is 1. */
const closing = workerData as Int32Array;

let queue = Promise.resolve();
parentPort?.on('message', (request: Request) => {
  queue = queue.then(async () => {
    if (request.kind === 'close') {
      // Nothing else keeps the thread alive.
      parentPort?.close();
      return;
    }
    if (Atomics.load(closing, 0) === 1) return;
    const reply = await answer(request).catch((error: unknown): Reply => {
      return { kind: 'failed', id: request.id, failure: error instanceof Error ? error.message : String(error) };
    });
    parentPort?.postMessage(reply, buffersOf(reply));
  });
});
