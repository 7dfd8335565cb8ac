/**
 * Entry point of the session thread: the only place that touches onnxruntime-node. run() blocks its thread for as long
 * as the model takes, so nothing else lives here. Requests are answered in the order they arrive.
 */
import { parentPort } from 'node:worker_threads';
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import type { HostTensor, Reply, Request } from './protocol.ts';

const sessions = new Map<number, InferenceSession>();
let opened = 0;

async function answer(request: Request): Promise<Reply> {
  const { id } = request;
  switch (request.kind) {
    case 'support': {
      const providers = listSupportedBackends().map(({ name, bundled }) => ({ provider: name, bundled }));
      return { kind: 'supported', id, providers };
    }
    case 'open': {
      const { provider, threads } = request.settings;
      const session = await InferenceSession.create(request.model, {
        executionProviders: [provider],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
        // Fatal only: what fails is thrown and reported once, with what to do, not also printed by the runtime.
        logSeverityLevel: 4,
        extra: {
          session: {
            model_external_initializers_file_folder_path: request.weightsDirectory,
            // A thread that spins between operators takes the core another worker could use.
            intra_op: { allow_spinning: '0' },
          },
        },
      });
      opened += 1;
      sessions.set(opened, session);
      return { kind: 'opened', id, session: opened };
    }
    case 'run': {
      const outputs = await sessionOf(request.session).run(toRuntime(request.feeds));
      return { kind: 'ran', id, outputs: fromRuntime(outputs) };
    }
    case 'dispose': {
      await sessionOf(request.session).release();
      sessions.delete(request.session);
      return { kind: 'disposed', id };
    }
  }
}

function sessionOf(id: number): InferenceSession {
  const session = sessions.get(id);
  // The host drops a session's handle when it disposes of it, so this is a defect of the host, reported as any failure.
  if (session === undefined) throw new ReferenceError(`session ${id} is not open`);
  return session;
}

function toRuntime(feeds: Readonly<Record<string, HostTensor>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { type, data, shape }]) => [name, new Tensor(type, data, [...shape])]),
  );
}

/** Copies: the runtime's buffers are its own and cannot be transferred. */
function fromRuntime(outputs: Readonly<Record<string, Tensor>>): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => {
      const data = Float32Array.from(tensor.data as Float32Array);
      return [name, { type: 'float32' as const, shape: tensor.dims, data }];
    }),
  );
}

function buffersOf(reply: Reply): ArrayBuffer[] {
  if (reply.kind !== 'ran') return [];
  return Object.values(reply.outputs).map((tensor) => tensor.data.buffer as ArrayBuffer);
}

let queue = Promise.resolve();
parentPort?.on('message', (request: Request) => {
  queue = queue.then(async () => {
    const reply = await answer(request).catch((error: unknown): Reply => {
      return { kind: 'failed', id: request.id, failure: error instanceof Error ? error.message : String(error) };
    });
    parentPort?.postMessage(reply, buffersOf(reply));
  });
});
