/** Execution providers that onnxruntime-node can be asked for. */
export const providers = ['cpu', 'cuda', 'tensorrt', 'webgpu', 'dml', 'coreml'] as const;
export type Provider = (typeof providers)[number];

/** A provider this build of onnxruntime-node knows, and whether its libraries came with the package. */
export interface ProviderSupport {
  readonly provider: string;
  readonly bundled: boolean;
}

/** What to do where a provider is not there: one sentence each. */
export const providerAdvice: Readonly<Record<Provider, string>> = {
  cpu: 'reinstall with `npm ci`: the CPU provider is part of onnxruntime-node',
  // The package's install script, which .npmrc keeps from running; it fetches what is missing for Linux x64.
  cuda: 'on Linux x64 with an NVIDIA driver and CUDA 12 run `npm rebuild onnxruntime-node --ignore-scripts=false` to fetch its libraries, or use --provider cpu',
  tensorrt: 'install the CUDA libraries as for --provider cuda and TensorRT itself, or use --provider cpu',
  webgpu:
    'it needs a Vulkan, Metal or Direct3D 12 driver on this machine (on Linux also the loader, package libvulkan1); use --provider cpu without one',
  dml: 'DirectML is part of Windows builds only; use --provider cpu',
  coreml: 'Core ML is part of macOS builds only; use --provider cpu',
};
