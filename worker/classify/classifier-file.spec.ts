import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readClassifierFile } from './classifier-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-classifier-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const good = {
  input: { name: 'image', layout: 'NCHW', size: [32, 64], range: [-1, 1] },
  heads: { object: ['cat', 'dog'] },
};

async function read(value: unknown) {
  const path = join(folder, 'classifier.json');
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
  return readClassifierFile(path);
}

describe('a classifier file', () => {
  it('says what a byte becomes, by range or by mean and deviation', async () => {
    const { input, model } = await read(good);
    expect(model).toBe(join(folder, 'model.onnx'));
    expect([input.height, input.width]).toEqual([32, 64]);
    const at = (file: Awaited<ReturnType<typeof read>>, byte: number) =>
      file.input.scale.map((scale, i) => scale * byte + (file.input.offset[i] ?? 0));
    const of = await read(good);
    expect(at(of, 0)).toEqual([-1, -1, -1]);
    for (const value of at(of, 255)) expect(value).toBeCloseTo(1, 12);
    const imageNet = await read({
      ...good,
      input: { ...good.input, range: undefined, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    });
    for (const [i, value] of at(imageNet, 0).entries())
      expect(value).toBeCloseTo([-2.1179, -2.0357, -1.8044][i] ?? 0, 4);
    for (const [i, value] of at(imageNet, 255).entries()) expect(value).toBeCloseTo([2.2489, 2.4286, 2.64][i] ?? 0, 4);
  });

  it.each([
    [{ ...good, extra: 1 }, 'extra'],
    [{ ...good, heads: {} }, 'heads: there is none'],
    [{ ...good, heads: { object: ['cat'] } }, 'heads.object'],
    [{ ...good, heads: { object: ['cat', 'cat'] } }, 'heads.object: "cat" is there twice'],
    [{ ...good, input: { ...good.input, layout: 'CHW' } }, 'input.layout'],
    [{ ...good, input: { ...good.input, size: 64 } }, 'input.size'],
    [{ ...good, input: { ...good.input, mean: [0, 0, 0], std: [1, 1, 1] } }, 'it has either range, or mean and std'],
    [{ ...good, input: { ...good.input, mean: [0, 0, 0] } }, 'mean and std come together'],
    [{ heads: good.heads }, 'input'],
    [{ ...good, model: '../../x' }, 'model: it is a plain file name'],
    [{ ...good, model: '/etc/passwd' }, 'model: it is a plain file name'],
    [{ ...good, model: '..' }, 'model: it is a plain file name'],
  ])('is refused by file and key: %#', async (value, why) => {
    await expect(read(value)).rejects.toMatchObject({
      code: 'config-invalid',
      isInput: true,
      where: join(folder, 'classifier.json'),
      why: expect.stringContaining(why) as string,
    });
  });

  it('is refused by line where it is no JSON, and by name where it is not there', async () => {
    await expect(read('{\n  "input": }')).rejects.toMatchObject({
      code: 'config-invalid',
      where: expect.stringContaining('classifier.json:2:') as string,
    });
    await expect(readClassifierFile(join(folder, 'none.json'))).rejects.toMatchObject({
      code: 'config-invalid',
      where: join(folder, 'none.json'),
    });
  });
});
