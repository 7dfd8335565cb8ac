import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../shared/checkpoint/json-file.ts';
import { findTokenizerFiles } from '../../shared/checkpoint/tokenizer-files.ts';
import { parseConfig } from '../../shared/model/config.ts';
import { loadClipTokenizer } from '../../shared/model/tokenizer/clip-tokenizer.ts';
import { elementCount } from '../../shared/tensor/float-tensor.ts';
import { TorchGenerator } from '../../worker/diffusion/noise/torch-generator.ts';
import { GoldenFile } from './golden-file.ts';
import { countDifferences, type GoldenResult } from './result.ts';

/** What `randn.<seed>.sequence` draws in turn from one generator. */
const sequence = [[1, 4, 8, 8], [3], [1, 4, 8, 8], [7]];

/** Checks primitives.safetensors: torch.randn and token ids, both exactly. */
export async function* checkPrimitives(directory: string): AsyncGenerator<GoldenResult> {
  const file = await GoldenFile.open(directory, 'primitives.safetensors');
  for (const [name, seed = '', draw = ''] of file.names(/^randn\.(\d+)\.(\d+|sequence)$/)) {
    const generator = new TorchGenerator(BigInt(seed));
    const draws = draw === 'sequence' ? sequence.map(elementCount) : [Number(draw)];
    const values = draws.flatMap((count) => [...generator.randn(count)]);
    const { data } = await file.read(name);
    yield { name, error: countDifferences(values, data), tolerance: 0 };
  }
  yield await checkTokenizer(directory, file);
  file.requireAllRead();
}

async function checkTokenizer(directory: string, file: GoldenFile): Promise<GoldenResult> {
  const configPath = join(directory, 'primitives.json');
  const schema = z.object({ 'tokenizer.strings': z.array(z.string()) });
  const { 'tokenizer.strings': strings } = parseConfig(schema, { config: await readJsonFile(configPath), configPath });
  const { shape, data } = await file.read('tokenizer.input_ids');
  const tokenizer = await loadClipTokenizer(await findTokenizerFiles(join(directory, 'tokenizer')), shape[1]);
  const ids = strings.flatMap((text) => [...tokenizer.encode(text).ids]);
  return { name: 'tokenizer.input_ids', error: countDifferences(ids, data), tolerance: 0 };
}
