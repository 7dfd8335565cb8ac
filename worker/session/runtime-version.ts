import { createRequire } from 'node:module';

/** The version of onnxruntime-node: results of two versions are of two numerics classes. */
export function runtimeVersion(): string {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { readonly version: string };
  return version;
}
