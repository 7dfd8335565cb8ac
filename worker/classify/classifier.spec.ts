import { execFileSync } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeModel } from '../../shared/model/graph/encode.ts';
import { graphOf } from '../../shared/model/graph/graph.ts';
import { input } from '../../shared/model/graph/value.ts';
import { cast, reshape } from '../../shared/model/ops/layout.ts';
import type { Pixels } from '../../shared/verification/pixel-distance.ts';
import { readPng } from '../../shared/verification/read-png.ts';
import { openModel } from '../diffusion/emoji-sd.spec-support.ts';
import { generateImages } from '../diffusion/generate.ts';
import { encodePng } from '../diffusion/png.ts';
import { SessionThread } from '../session/session-thread.ts';
import { Classifier } from './classifier.ts';
import { resize } from './resize.ts';

const folder = join('checkpoint', 'emoji-sd', 'classifier');
const cpu = { provider: 'cpu', threads: 1 } as const;
const thread = new SessionThread();
let temporary: string;
let drawn: readonly Pixels[];
const asked = [
  { object: 'red apple', style: 'Noto' },
  { object: 'cat', style: 'Ink' },
  { object: 'rocket', style: 'Neon' },
];

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'lethe-classifier-'));
  const sampling = { scheduler: 'pndm', steps: 20, guidance: 2.5, height: 16, width: 16 } as const;
  const requests = asked.map(({ object, style }, i) => {
    return { prompt: `a picture of a ${object} in the style of ${style}`, seed: BigInt(i) };
  });
  const images = await generateImages(await openModel(thread), sampling, requests, 3, () => undefined);
  drawn = images.map(({ image }) => readPng(encodePng(image)));
});
afterAll(async () => {
  await thread.close();
  await rm(temporary, { recursive: true });
});

/** The classifier's file with changes, in a folder of its own. */
async function changed(change: (file: Record<string, unknown>) => object): Promise<string> {
  const file = JSON.parse(await readFile(join(folder, 'classifier.json'), 'utf8')) as Record<string, unknown>;
  const path = join(temporary, 'classifier.json');
  await copyFile(join(folder, 'model.onnx'), join(temporary, 'model.onnx'));
  await writeFile(path, JSON.stringify({ ...file, ...change(file) }));
  return path;
}

describe('the classifier of emoji-sd', () => {
  it('recognises what the model draws, also at another size', async () => {
    const classifier = await Classifier.open(join(folder, 'classifier.json'), thread, cpu);
    expect(await classifier.classify(drawn)).toEqual(asked.map((labels) => ({ ...labels, sex: 'none' })));
    const large = drawn.map((image): Pixels => {
      const side = 3 * image.width;
      return { width: side, height: side, channels: 3, data: Uint8Array.from(resize(image, side, side), Math.round) };
    });
    expect((await classifier.classify(large)).map(({ object }) => object)).toEqual(asked.map(({ object }) => object));
    expect(await classifier.classify([])).toEqual([]);
  });

  it.each([
    ['pipe', /not a regular file/],
    ['zero', /not a regular file/],
    ['pointer', /Git LFS pointer/],
    ['empty', /it is empty/],
    ['missing', /ENOENT/],
  ])('is refused by the path of its model, which is a %s', async (model, why) => {
    const path = await changed(() => ({ model }));
    await rm(join(temporary, model), { force: true });
    if (model === 'pipe') execFileSync('mkfifo', [join(temporary, model)]);
    if (model === 'zero') await symlink('/dev/zero', join(temporary, model));
    if (model === 'pointer')
      await writeFile(join(temporary, model), `version https://git-lfs.github.com/spec/v1\noid x\n`);
    if (model === 'empty') await writeFile(join(temporary, model), '');
    await expect(Classifier.open(path, thread, cpu)).rejects.toMatchObject({
      code: 'config-invalid',
      where: join(temporary, model),
      why: expect.stringMatching(why) as string,
    });
  });

  it('is refused by key where the model has no such input, output or number of labels', async () => {
    const opened = (path: string) => Classifier.open(path, thread, cpu);
    const refused = (why: string): object => ({
      code: 'config-invalid',
      where: join(temporary, 'classifier.json'),
      why: expect.stringContaining(why) as string,
    });
    const input = await changed(({ input: of }) => ({ input: { ...(of as object), name: 'pixels' } }));
    await expect(opened(input)).rejects.toMatchObject(refused('input.name: the model takes image, and no "pixels"'));
    const head = await changed(() => ({ heads: { colour: ['red', 'green'] } }));
    await expect(opened(head)).rejects.toMatchObject(refused('heads.colour: the model gives object, style, sex'));
    const labels = await opened(await changed(() => ({ heads: { sex: ['man', 'woman'] } })));
    await expect(labels.classify(drawn)).rejects.toMatchObject(
      refused('heads.sex: it names 2 labels, and the model gives 3 numbers an image'),
    );
  });
});

describe('a classifier with outputs of several types', () => {
  /** Of one pixel: how red, green and blue it is as scores, in fp16 too, and labels as integers beside them. */
  const written = async (...heads: readonly string[]): Promise<string> => {
    const pixel = input('image', { element: 'float', shape: ['n', 3, 1, 1] });
    const scores = reshape('scores', pixel, ['n', 3]);
    const graph = graphOf('colours', [scores, cast('half', scores, 'float16'), cast('labels', scores, 'int64')]);
    await writeFile(join(temporary, 'colours.onnx'), encodeModel(graph, temporary));
    const path = join(temporary, 'colours.json');
    const labels = ['red', 'green', 'blue'];
    const file = {
      model: 'colours.onnx',
      input: { name: 'image', layout: 'NCHW', size: [1, 1], range: [0, 1] },
      heads: Object.fromEntries(heads.map((head) => [head, labels])),
    };
    await writeFile(path, JSON.stringify(file));
    return path;
  };
  const pixel = (...data: readonly number[]): Pixels => {
    return { width: 1, height: 1, channels: 3, data: Uint8Array.from(data) };
  };

  it('is asked for those that heads name alone, in fp32 and fp16', async () => {
    const path = await written('scores/Reshape', 'half/Cast');
    const classifier = await Classifier.open(path, thread, cpu);
    const both = (label: string) => ({ 'scores/Reshape': label, 'half/Cast': label });
    expect(await classifier.classify([pixel(9, 200, 3), pixel(0, 1, 250)])).toEqual([both('green'), both('blue')]);
  });

  it('is refused by key where a head is neither', async () => {
    await expect(Classifier.open(await written('labels/Cast'), thread, cpu)).rejects.toMatchObject({
      code: 'config-invalid',
      why: expect.stringContaining('heads.labels/Cast: its numbers are int64') as string,
    });
  });
});

describe('resize', () => {
  const image = (width: number, height: number, data: readonly number[]): Pixels => {
    return { width, height, channels: 1, data: Uint8Array.from(data) };
  };

  it('keeps an even colour, and leaves an image of the same size as it is', () => {
    for (const [width, height] of [
      [3, 2],
      [7, 9],
      [1, 1],
    ] as const)
      for (const value of resize(image(5, 4, new Array<number>(20).fill(200)), width, height))
        expect(value).toBeCloseTo(200, 4);
    expect([...resize(image(2, 2, [1, 2, 3, 4]), 2, 2)]).toEqual([1, 2, 3, 4]);
  });

  it('weighs by distance when it enlarges, and over all that falls together when it reduces', () => {
    // Half-pixel centres: 0.25 of the way in is three parts of the nearer pixel.
    expect([...resize(image(2, 1, [0, 100]), 4, 1)]).toEqual([0, 25, 75, 100]);
    // A triangle over four pixels: 1/8, 3/8, 3/8, 1/8 where nothing is cut off.
    const [, middle] = resize(image(6, 1, [0, 0, 80, 160, 0, 0]), 3, 1);
    expect(middle).toBeCloseTo((3 * 80 + 3 * 160) / 8, 4);
  });
});
