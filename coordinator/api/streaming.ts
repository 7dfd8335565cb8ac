import type { handleServerStreamingCall } from '@grpc/grpc-js';
import { writeDrained } from '../../shared/fleet/write-drained.ts';
import { grpcStatusOf } from './grpc-status.ts';

/** A method that answers piece by piece, as fast as the caller reads. */
export function streaming<Request, Response>(
  work: (request: Request) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const send = async (): Promise<void> => {
      try {
        for await (const response of work(call.request)) {
          if (call.cancelled) return;
          await writeDrained(call, response);
        }
        call.end();
      } catch (error) {
        if (!call.cancelled) call.emit('error', grpcStatusOf(error));
      }
    };
    void send();
  };
}
