/**
 * Every failure Lethe can name has one of these codes. They are stable: scripts, metrics and tests match on them,
 * never on message text.
 */
export type ErrorCode = InputErrorCode | FailureCode;

/** The input is at fault: a file, a setting, a flag. The command exits with 2. */
export type InputErrorCode =
  /** Flags or arguments of a command that do not fit together. */
  | 'usage'
  /** A directory that is not a diffusers checkpoint, or lacks a part of one. */
  | 'checkpoint-layout'
  /** Weights saved as pickles (.bin, .ckpt, .pt): reading them can run code. */
  | 'checkpoint-pickled'
  /** A damaged or hostile safetensors file. */
  | 'safetensors-invalid'
  /** A tensor the model needs is missing, or has another shape or dtype. */
  | 'tensor-mismatch'
  /** A config.json that is not valid: wrong type, missing key. */
  | 'config-invalid'
  /** A config that asks for something Lethe does not do. */
  | 'config-unsupported'
  /** Tokenizer files that are missing or do not fit together. */
  | 'tokenizer-invalid'
  /** Sampling settings out of range. */
  | 'sampling-invalid'
  /** A campaign file that is malformed, or asks for what its checkpoint cannot give. */
  | 'campaign-invalid'
  /** A campaign that no coordinator knows. */
  | 'campaign-missing'
  /** A stored trajectory state that cannot be continued. */
  | 'trajectory-invalid'
  /** Golden vectors that are missing or not laid out as docs/golden.md says. */
  | 'golden-invalid'
  /** A name that cannot become part of a subject: empty, too long, not text. */
  | 'name-invalid'
  /** A unit that cannot be what was meant: sites of another kind, a window past the last step. */
  | 'unit-invalid'
  /** Settings of a pruning method out of range, or that do not fit the concept. */
  | 'method-invalid'
  /** A damaged, hostile or not canonical mask file. */
  | 'mask-invalid'
  /** Masks that do not belong together: other checkpoints, other shapes. */
  | 'mask-mismatch'
  /** A mask that nobody has. */
  | 'mask-missing'
  /** A name that several masks have, where nothing tells which is meant. */
  | 'mask-ambiguous'
  /** A file of keys that is malformed, or that others than its owner may use. */
  | 'key-invalid'
  /** A mask that no verification stands behind. */
  | 'mask-unverified'
  /** A version of the active masks that there never was. */
  | 'version-missing';

/** The input was fine and something else failed. The command exits with 1. */
export type FailureCode =
  /** A graph that breaks a rule of its own operators: a defect in a model family, not in the input. */
  | 'graph-invalid'
  /** An execution provider that this machine or build does not have. */
  | 'provider-unavailable'
  /** onnxruntime's library cannot be loaded: it does not fit the system, or is not installed. */
  | 'runtime-unusable'
  /** onnxruntime refused to load or run a model. */
  | 'session-failed'
  /** The session's thread ended while work was on it. */
  | 'session-lost'
  /** A value that has no canonical form and was to be hashed: a defect in what made it. */
  | 'not-canonical'
  /** A value that is not finite where only finite ones can be. */
  | 'non-finite'
  /** A unit's statistics that cannot be merged. */
  | 'partial-invalid'
  /** An image of a worker or of the store that is none. */
  | 'image-invalid'
  /** An image that was never asked for, or whose unit has not ended. */
  | 'image-missing'
  /** Sums that do not belong together, or exceed what their rows allow. */
  | 'statistics-invalid'
  /** A stored cohort's sum whose bytes are damaged, forged or not canonical. */
  | 'sum-invalid'
  /** A thread that scores weights ended while work was on it, or failed for a reason of the system. */
  | 'scoring-failed'
  /** A concept of golden vectors that gave no mask to compare. */
  | 'golden-failed'
  /** A file could not be written. */
  | 'write-failed'
  /** A unit that was stopped before its end, because somebody asked for it. */
  | 'unit-stopped'
  /** A unit this worker cannot run: it lacks the checkpoint, the memory, or computes in another numerics class. */
  | 'unit-refused'
  /** A message between coordinator and worker that breaks the protocol of proto/fleet. */
  | 'protocol-violated'
  /** The other side speaks a version of the protocol that this release does not. */
  | 'protocol-version'
  /** The stream between coordinator and worker ended before an answer came. */
  | 'fleet-lost'
  /** An address that cannot be listened on. */
  | 'listen-failed'
  /** NATS did not answer in time: not running, not reachable, or JetStream is not ready there. */
  | 'bus-unavailable'
  /** NATS answered and does not let this client in, or not to this subject. */
  | 'bus-refused'
  /** JetStream could not store a message: a full disk, a limit of the account. */
  | 'bus-store-failed'
  /** JetStream answered with an error that nothing here expects, or with an answer that cannot be read. */
  | 'bus-failed'
  /** The queue of a campaign and class that is not there (any more). */
  | 'queue-missing'
  /** A reply subject that does not name a lease of this queue. */
  | 'lease-invalid'
  /** A blob that is not there. */
  | 'blob-missing'
  /** A blob whose bytes are not the ones that were stored. */
  | 'blob-damaged'
  /** A blob above the limit on size. */
  | 'blob-too-large'
  /** No nats-server that can be run on this machine, and none that can be fetched. */
  | 'nats-server-missing'
  /** A fetched nats-server whose hash is not the pinned one. */
  | 'nats-server-untrusted'
  /** nats-server did not start, or ended. */
  | 'nats-server-failed'
  /** A stored record, entry or queued unit that cannot be read. */
  | 'record-invalid'
  /** A campaign that was cancelled. */
  | 'campaign-cancelled'
  /** A time that another clock contradicts by more than clocks drift. */
  | 'clock-contradicted'
  /** A campaign that is not over within the time that it was waited for. */
  | 'campaign-unfinished'
  /** A campaign, some of whose concepts have no mask. */
  | 'campaign-failed'
  /** No connected worker can run what a campaign or a job of images needs: it waits for one. */
  | 'worker-missing'
  /** What is to be measured is not there before pruning: that it is not there after would say nothing. */
  | 'not-testable'
  /** A unit whose workers did not come back from it, time after time. */
  | 'unit-lost'
  /** A local fleet that is asked to start where one runs. */
  | 'fleet-running'
  /** A process of a local fleet that did not start, or ended. */
  | 'fleet-failed'
  /** No coordinator where one was looked for. */
  | 'fleet-unreachable'
  /** A coordinator without a signing key that is asked to change what is active. */
  | 'signing-unavailable'
  /** A stored manifest that no trusted key has signed. */
  | 'manifest-untrusted'
  /** An audit log whose records do not follow from one another, or were not made by a coordinator. */
  | 'audit-broken'
  /** A sealed blob that cannot be opened: no key for it, or it was altered. */
  | 'blob-sealed'
  /** Serving processes that have not acknowledged a change in time. */
  | 'serving-behind'
  /** The file in which a serving process keeps what it has seen says nothing certain. */
  | 'state-damaged'
  /** A folder for one process alone in which another one works. */
  | 'folder-taken'
  /** Images were to be made where no set of masks is known yet. */
  | 'serving-unready';

const inputCodes: Readonly<Record<InputErrorCode, true>> = {
  usage: true,
  'checkpoint-layout': true,
  'checkpoint-pickled': true,
  'safetensors-invalid': true,
  'tensor-mismatch': true,
  'config-invalid': true,
  'config-unsupported': true,
  'tokenizer-invalid': true,
  'sampling-invalid': true,
  'campaign-invalid': true,
  'campaign-missing': true,
  'trajectory-invalid': true,
  'golden-invalid': true,
  'method-invalid': true,
  'mask-invalid': true,
  'mask-mismatch': true,
  'unit-invalid': true,
  'name-invalid': true,
  'mask-missing': true,
  'mask-ambiguous': true,
  'key-invalid': true,
  'mask-unverified': true,
  'version-missing': true,
};

/** Failures of a process that would meet it again whenever it starts: its system or its place is at fault, not a moment. */
const lastingCodes: readonly ErrorCode[] = [
  'listen-failed',
  'provider-unavailable',
  'runtime-unusable',
  'nats-server-missing',
  'nats-server-untrusted',
  'protocol-version',
  'folder-taken',
];

/** What is told of a failure: one shape for every error, in every output. */
export interface Failure {
  /** What could not be done, in a few words: `cannot read unet/config.json`. */
  readonly what: string;
  /** File, key, tensor, line or node. */
  readonly where?: string;
  /** Why, with the value found and the one expected. */
  readonly why: string;
  /** What the reader can do about it. */
  readonly next: string;
  /** The layer and the step (index of the UNet call) where a model failed, for those who count failures by them. */
  readonly layer?: string;
  readonly step?: number;
  /** Keys and indices that lead to the setting of the user's file that asked for it; whoever has the file adds the line. */
  readonly setting?: readonly (string | number)[];
  readonly cause?: unknown;
}

/** The one error class of the project. */
export class LetheError extends Error {
  override readonly name = 'LetheError';
  readonly code: ErrorCode;
  readonly what: string;
  readonly where: string | undefined;
  readonly why: string;
  readonly next: string;
  readonly layer: string | undefined;
  readonly step: number | undefined;
  readonly setting: Failure['setting'];

  constructor(code: ErrorCode, failure: Failure) {
    const where = failure.where === undefined ? '' : ` (${failure.where})`;
    super(`${failure.what}${where}: ${failure.why}`, { cause: failure.cause });
    this.code = code;
    this.what = failure.what;
    this.where = failure.where;
    this.why = failure.why;
    this.next = failure.next;
    this.layer = failure.layer;
    this.step = failure.step;
    this.setting = failure.setting;
  }

  /** The same failure, said of another place. */
  at(where: string, setting?: Failure['setting']): LetheError {
    const { what, why, next, layer, step, cause } = this;
    return new LetheError(this.code, {
      what,
      where,
      why,
      next,
      ...(layer === undefined ? {} : { layer }),
      ...(step === undefined ? {} : { step }),
      ...(setting === undefined ? {} : { setting }),
      cause,
    });
  }

  /** Whether the reader's input is at fault (exit code 2) rather than the run (exit code 1). */
  get isInput(): boolean {
    return this.code in inputCodes;
  }

  /** Whether to start the process again is no use: it ends with exit code 2. */
  get isLasting(): boolean {
    return this.isInput || lastingCodes.includes(this.code);
  }
}
