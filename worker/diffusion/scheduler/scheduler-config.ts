/**
 * What a checkpoint says about its diffusion scheduler. Defaults are not filled in yet: they are those of the class
 * that is run, which need not be the class the checkpoint names.
 */
export interface SchedulerConfig {
  /** Where it was read, for messages. */
  readonly file: string;
  /** The diffusers class that the checkpoint names. */
  readonly className: string;
  /** The keys the file sets, spelled as in the file. They hold for whichever class is run. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Values that hold only while the checkpoint's own class is run. */
  readonly own: Readonly<Record<string, unknown>>;
}
