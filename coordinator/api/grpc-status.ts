import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { Failure } from '../../gen/fleet/v1/unit.ts';
import { type ErrorCode, LetheError } from '../../shared/error/lethe-error.ts';
import { failureToMessage } from '../../shared/fleet/unit-message.ts';

/** Trailer that carries the whole error, as a `lethe.fleet.v1.Failure`: status details hold one line only. */
export const failureTrailer = 'lethe-failure-bin';

/** Codes whose status is not INVALID_ARGUMENT (input errors) or INTERNAL (all others). */
const statuses: Partial<Record<ErrorCode, status>> = {
  'protocol-violated': status.INVALID_ARGUMENT,
  'protocol-version': status.FAILED_PRECONDITION,
  'fleet-lost': status.UNAVAILABLE,
  'unit-stopped': status.CANCELLED,
  'signing-unavailable': status.FAILED_PRECONDITION,
  'manifest-untrusted': status.FAILED_PRECONDITION,
  'mask-unverified': status.FAILED_PRECONDITION,
};

/** An error as gRPC tells it. */
export function grpcStatusOf(error: unknown): StatusObject {
  const failure = failureToMessage(error);
  const metadata = new Metadata();
  metadata.set(failureTrailer, Buffer.from(Failure.encode(failure).finish()));
  const known = error instanceof LetheError;
  const code = known
    ? (statuses[error.code] ?? (error.isInput ? status.INVALID_ARGUMENT : status.INTERNAL))
    : status.INTERNAL;
  // Details are a header: one line.
  const details = `${failure.what}: ${failure.why}; ${failure.next}`.replace(/\s+/g, ' ');
  return { code, details, metadata };
}
