import { InferenceSession, Tensor } from 'onnxruntime-node';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { sessionOptions } from '../../worker/session/session-options.ts';

/** A model that is not Lethe's, run on this thread with the options that Lethe gives its own. */
export interface RuntimeSession {
  run(feeds: Readonly<Record<string, { shape: readonly number[]; data: Float32Array }>>): Promise<Float32Array>;
  release(): Promise<void>;
}

/** @throws LetheError `session-failed` with the runtime's reason. */
export async function openRuntime(
  model: Uint8Array,
  name: string,
  weightsDirectory: string,
  threads: number,
): Promise<RuntimeSession> {
  const options = sessionOptions({ provider: 'cpu', threads }, weightsDirectory);
  const session = await InferenceSession.create(model, options).catch((cause: unknown) => {
    throw new LetheError('session-failed', {
      what: `cannot load ${name}`,
      where: 'onnxruntime',
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'make it again with integration/bench/make-plain-unet.py',
      cause,
    });
  });
  return {
    async run(feeds) {
      const tensors = Object.entries(feeds).map(([input, { shape, data }]) => [
        input,
        new Tensor('float32', data, [...shape]),
      ]);
      const outputs = await session.run(Object.fromEntries(tensors) as Record<string, Tensor>);
      const [output] = Object.values(outputs);
      return (output?.data ?? new Float32Array()) as Float32Array;
    },
    release: () => session.release(),
  };
}
