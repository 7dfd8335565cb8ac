import { encodeModel } from '../../shared/model/graph/encode.ts';
import { graphOf } from '../../shared/model/graph/graph.ts';
import { floatConstant, input } from '../../shared/model/graph/value.ts';
import { gemm } from '../../shared/model/ops/product.ts';
import { TorchGenerator } from '../../worker/diffusion/noise/torch-generator.ts';
import { openRuntime } from './runtime.ts';

const n = 1024;

/** One fp32 product of two 1024×1024 matrices: what the runtime reaches when nothing but the product is in the way. */
export interface Sgemm {
  readonly flops: number;
  run(): Promise<unknown>;
  release(): Promise<void>;
}

export async function openSgemm(threads: number): Promise<Sgemm> {
  const generator = new TorchGenerator(0n);
  const x = input('x', { element: 'float', shape: [n, n] });
  const weight = floatConstant('weight', [n, n], [...generator.randn(n * n)]);
  const model = encodeModel(graphOf('sgemm', [gemm('sgemm', x, weight, undefined)]), '/');
  const session = await openRuntime(model, 'sgemm', '', threads);
  const feeds = { x: { shape: [n, n], data: generator.randn(n * n) } };
  return { flops: 2 * n ** 3, run: () => session.run(feeds), release: () => session.release() };
}
