import {
  type CallOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { failureTrailer } from '../../coordinator/api/grpc-status.ts';
import { Failure } from '../../gen/fleet/v1/unit.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { writeDrained } from '../../shared/fleet/write-drained.ts';
import { errorOfFailure } from './remote-error.ts';

/** Milliseconds that a question which needs no model may take: a plan opens and hashes the checkpoint. */
const answerMs = 120_000;

type Answered<Response> = (error: ServiceError | null, response: Response) => void;

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: Answered<Response>,
) => ClientUnaryCall;

type StreamingMethod<Request, Response> = (
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: Answered<Response>,
) => ClientWritableStream<Request>;

/**
 * The answer of a coordinator to one message.
 *
 * @param address of the coordinator, for messages
 * @param ms until one that does not answer counts as gone
 * @throws LetheError the coordinator's own error, `fleet-unreachable` or `fleet-lost`, as everything here.
 */
export function ask<Request, Response>(
  address: string,
  method: UnaryMethod<Request, Response>,
  request: Request,
  ms = answerMs,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    method(request, new Metadata(), deadlineIn(ms), answering(address, resolve, reject));
  });
}

/** The answer of a coordinator to messages that are streamed to it, as fast as it takes them. */
export function send<Request, Response>(
  address: string,
  method: StreamingMethod<Request, Response>,
  requests: Iterable<Request>,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const call = method(new Metadata(), deadlineIn(answerMs), answering(address, resolve, reject));
    // The answer says why; a write after it has come says nothing.
    call.on('error', () => undefined);
    writeAll(call, requests).catch(reject);
  });
}

/** What a coordinator streams, in order. Whoever stops early cancels the call. */
export async function* received<Response>(
  address: string,
  call: ClientReadableStream<Response>,
): AsyncGenerator<Response, void> {
  try {
    for await (const response of call) yield response as Response;
  } catch (error) {
    throw explained(address, error);
  } finally {
    call.cancel();
  }
}

async function writeAll<Request>(call: ClientWritableStream<Request>, requests: Iterable<Request>): Promise<void> {
  for (const request of requests) {
    if (call.destroyed) break;
    await writeDrained(call, request).catch(() => undefined);
  }
  call.end();
}

function deadlineIn(ms: number): Partial<CallOptions> {
  return { deadline: Date.now() + ms };
}

function answering<Response>(
  address: string,
  resolve: (response: Response) => void,
  reject: (error: LetheError) => void,
): Answered<Response> {
  return (error, response) => {
    if (error === null) resolve(response);
    else reject(explained(address, error));
  };
}

/** What a failed call says. */
export function explained(address: string, error: unknown): LetheError {
  const { metadata, code, details } = error as Partial<ServiceError>;
  const [trailer] = metadata?.get(failureTrailer) ?? [];
  if (trailer instanceof Uint8Array) return errorOfFailure(Failure.decode(trailer));
  const isGone = code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED;
  return new LetheError(isGone ? 'fleet-unreachable' : 'fleet-lost', {
    what: 'cannot ask the coordinator',
    where: address,
    why: details ?? String(error),
    next: 'start a fleet with `lethe up`, or name its coordinator with --coordinator or LETHE_COORDINATOR',
    cause: error,
  });
}
