import type { SafetensorsFile } from './safetensors-header.ts';

/** Reads and checks the header of the file at `path`; the tensors' data is not read. */
export declare function readSafetensors(path: string): Promise<SafetensorsFile>;
