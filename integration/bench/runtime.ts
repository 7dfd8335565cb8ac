// Before the library loads.
import '../../worker/session/no-telemetry.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { sessionOptions } from '../../worker/session/session-options.ts';

/** A tensor that goes in; float32 where nothing is said. */
export type RuntimeFeed =
  | { readonly type?: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly type: 'int64'; readonly shape: readonly number[]; readonly data: BigInt64Array }
  | { readonly type: 'bool'; readonly shape: readonly number[]; readonly data: Uint8Array };

/** A model that runs on this thread, with the options that Lethe gives its own. */
export interface RuntimeSession {
  run(feeds: Readonly<Record<string, RuntimeFeed>>): Promise<Float32Array>;
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
      next: 'a model of another program is made again as integration/bench/make-plain-unet.py says',
      cause,
    });
  });
  return {
    async run(feeds) {
      const tensors = Object.entries(feeds).map(([input, { type = 'float32', shape, data }]) => [
        input,
        new Tensor(type, data, [...shape]),
      ]);
      const outputs = await session.run(Object.fromEntries(tensors) as Record<string, Tensor>);
      const [output] = Object.values(outputs);
      return (output?.data ?? new Float32Array()) as Float32Array;
    },
    release: () => session.release(),
  };
}
