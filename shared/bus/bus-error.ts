import { NatsError } from 'nats';
import { type ErrorCode, LetheError } from '../error/lethe-error.ts';

/** Error codes of JetStream's API: errors are told apart by these, never by their text. */
export const apiCode = {
  consumerNotFound: 10014,
  noMessageFound: 10037,
  streamNotFound: 10059,
  streamNameInUse: 10058,
  sequenceNotFound: 10043,
  /** The last sequence on the subject is not the expected one. */
  wrongLastSequence: 10071,
  /** Another write to the subject is under way in a replicated stream: not known yet what will stand there. */
  writeInFlight: 10164,
  /** Any failure of the store: a full disk too. */
  storeFailed: 10077,
} as const;

/** No room: reserved storage, account limits. */
const storeCodes: readonly number[] = [apiCode.storeFailed, 10023, 10047, 10002, 10028];
/** The server cannot answer now and says so: no leader yet, expected sequences not ready, too many requests. */
const passingCodes: readonly number[] = [10008, 10009, 10163, apiCode.writeInFlight, 10167];

/** What JetStream's API said. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly apiCode: number;
  readonly status: number;

  constructor(status: number, code: number, description: string) {
    super(`${description} (${status}, ${code})`);
    this.status = status;
    this.apiCode = code;
  }
}

/** Whether JetStream refused because of what stands on the subject already. */
export function isConflict(error: unknown): boolean {
  return hasApiCode(error, apiCode.wrongLastSequence);
}

export function hasApiCode(error: unknown, code: number): boolean {
  return error instanceof ApiFailure && error.apiCode === code;
}

/** Something that may be otherwise a moment later: the connection went away, a message is between two states. */
export class PassingFailure extends Error {
  override readonly name = 'PassingFailure';
}

/** Whether the same request may succeed later: nobody answered, or the server says it cannot yet. */
export function isPassing(error: unknown): boolean {
  if (error instanceof PassingFailure) return true;
  if (error instanceof ApiFailure)
    return passingCodes.includes(error.apiCode) || (error.status === 503 && !storeCodes.includes(error.apiCode));
  return error instanceof NatsError && passingNatsCodes.includes(error.code);
}

/** Whether the server knows of nobody who listens on the subject. */
export function isUnheard(error: unknown): boolean {
  return error instanceof NatsError && error.code === '503';
}

/** Codes of the `nats` package: no responders, no answer in time, connection lost, refused or not there. */
const passingNatsCodes: readonly string[] = [
  '503',
  'TIMEOUT',
  'DISCONNECT',
  'CONNECTION_REFUSED',
  'CONNECTION_TIMEOUT',
];
/** This side has closed its connection. */
const closedNatsCodes: readonly string[] = ['CONNECTION_CLOSED', 'CONNECTION_DRAINING'];
const refusedNatsCodes: readonly string[] = [
  'AUTHORIZATION_VIOLATION',
  'AUTHENTICATION_EXPIRED',
  'AUTHENTICATION_TIMEOUT',
  'ACCOUNT_EXPIRED',
  'PERMISSIONS_VIOLATION',
  'BAD_AUTHENTICATION',
  'BAD_CREDS',
];

export function isRefused(error: unknown): error is NatsError {
  return error instanceof NatsError && refusedNatsCodes.includes(error.code);
}

/** Any failure of NATS as the error the rest of Lethe knows. */
export function busError(what: string, where: string, cause: unknown): LetheError {
  if (cause instanceof LetheError) return cause;
  const code = codeOf(cause);
  const why = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof NatsError && cause.code === 'TIMEOUT')
    return new LetheError(code, { what, where, why: 'it did not answer in time', next: silentAdvice, cause });
  return new LetheError(code, { what, where, why, next: advice[code], cause });
}

/** Seen with nats-server 2.15.1: it answers nothing more about a stream whose disk was full, until it is started again. */
const silentAdvice =
  'look whether NATS runs and has room on its disk: its log says so, and after a full disk it has to be started again; nothing is lost, the same call may be made again';

type BusCode = 'bus-unavailable' | 'bus-refused' | 'bus-store-failed' | 'bus-failed';

const advice: Readonly<Record<BusCode, string>> = {
  'bus-unavailable': 'look whether NATS runs and can be reached; nothing is lost, the same call may be made again',
  'bus-refused': 'look at the credentials and at the permissions of this user in the configuration of NATS',
  'bus-store-failed': 'make room on the disk of NATS or raise its limits, then go on: what was stored is kept',
  'bus-failed': 'look at the log of NATS',
};

function codeOf(cause: unknown): BusCode & ErrorCode {
  if (cause instanceof ApiFailure && storeCodes.includes(cause.apiCode)) return 'bus-store-failed';
  if (isPassing(cause) || (cause instanceof NatsError && closedNatsCodes.includes(cause.code)))
    return 'bus-unavailable';
  return isRefused(cause) ? 'bus-refused' : 'bus-failed';
}
