import type { Checkpoint } from './open-checkpoint.ts';

/** `sha256:<hex>` over the contents of the files the engine reads. */
export declare function checkpointId(checkpoint: Checkpoint): Promise<string>;
