import type { InferenceSession } from 'onnxruntime-node';
import type { SessionSettings } from './protocol.ts';

/** The runtime's options for a session. @param weightsDirectory folder that external weights are resolved against */
export function sessionOptions(
  { provider, threads }: SessionSettings,
  weightsDirectory: string,
): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Fatal only: what fails is thrown and reported once.
    logSeverityLevel: 4,
    extra: {
      session: {
        model_external_initializers_file_folder_path: weightsDirectory,
        // A thread that spins between operators takes the core another worker could use.
        intra_op: { allow_spinning: '0' },
      },
    },
  };
}
