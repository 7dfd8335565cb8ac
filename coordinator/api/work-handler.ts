import type { WorkerMessage } from '../../gen/fleet/v1/work.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { isAccepted, protocolVersion } from '../../shared/fleet/protocol.ts';
import type { WorkerHello } from '../../shared/fleet/task.ts';
import { helloFromMessage } from '../../shared/fleet/task-message.ts';
import { violation } from '../../shared/fleet/violation.ts';
import { streamLost } from '../../shared/fleet/write-drained.ts';
import { grpcStatusOf } from './grpc-status.ts';
import { StreamWorker, type WorkCall } from './stream-worker.ts';
import type { WorkerGate } from './worker-gate.ts';

/** WorkService.Work: the hello, then whatever comes, until the stream ends. */
export function workHandler(gate: WorkerGate, coordinator: string): (call: WorkCall) => void {
  return (call) => {
    let worker: StreamWorker | undefined;
    let over = false;
    const end = (cause: LetheError): void => {
      over = true;
      worker?.end(cause);
    };
    const take = (message: WorkerMessage): void => {
      if (worker !== undefined) {
        worker.take(message);
        return;
      }
      if (message.message?.$case !== 'hello') throw violation('hello', 'it has to be the first message');
      const hello = accepted(helloFromMessage(message.message.value));
      worker = new StreamWorker(hello, call);
      call.write({
        message: {
          $case: 'welcome',
          value: { protocol: Math.min(hello.protocol, protocolVersion), coordinator },
        },
      });
      worker.listen(gate.onWorker(worker));
    };

    call.on('data', (message: WorkerMessage) => {
      if (over) return;
      try {
        take(message);
      } catch (error) {
        // First: the stream's own error event would give dispatch a lesser reason.
        end(error instanceof LetheError ? error : streamLost(error));
        call.emit('error', grpcStatusOf(error));
      }
    });
    call.on('end', () => {
      end(streamLost(undefined));
      call.end();
    });
    call.on('cancelled', () => {
      end(streamLost(undefined));
    });
    call.on('error', (cause: unknown) => {
      end(streamLost(cause));
    });
  };
}

/** @throws LetheError `protocol-version` */
function accepted(hello: WorkerHello): WorkerHello {
  if (isAccepted(hello.protocol)) return hello;
  throw new LetheError('protocol-version', {
    what: `cannot work with worker ${hello.worker}`,
    where: 'hello.protocol',
    why: `it speaks version ${hello.protocol}; version ${protocolVersion} and the one before are accepted`,
    next:
      hello.protocol > protocolVersion
        ? 'upgrade the coordinators first, then the workers'
        : 'upgrade the worker: it is more than one release behind',
  });
}
