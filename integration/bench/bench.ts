/** What a bench found, for people and for machines. */
export interface BenchReport {
  /** Tables and a line on how they were measured. */
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** Why the figures cannot be used, such as numbers that differ where they must not; empty if they can. */
  readonly faults: readonly string[];
}

/** One bench: a file of its own, found by name. */
export interface Bench {
  /** One line for the list of benches. */
  readonly about: string;
  run(parameters: readonly string[]): Promise<BenchReport>;
}
