import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionThread } from '../session/session-thread.ts';
import { openModel } from './emoji-sd.spec-support.ts';
import { generateImages, type GenerateEvent } from './generate.ts';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import type { StableDiffusion } from './stable-diffusion.ts';

const thread = new SessionThread();
let model: StableDiffusion;
beforeAll(async () => {
  model = await openModel(thread);
});
afterAll(() => thread.close());

const sampling: Sampling = { scheduler: 'euler-ancestral', steps: 3, guidance: 2.5, height: 16, width: 16 };
const requests = ['a red apple', 'a cat', 'a picture of a farmer', 'a cat', 'an owl, Ink'].map((prompt, i) => ({
  prompt,
  seed: BigInt(i % 3),
}));
const quiet = () => undefined;

describe('generateImages', () => {
  it('gives images in the order of the requests, whose bits do not depend on the batch', async () => {
    const events: GenerateEvent[] = [];
    const whole = await generateImages(model, sampling, requests, 5, (event) => events.push(event));
    expect(whole.map(({ request }) => request)).toEqual(requests);
    expect(events).toEqual([{ kind: 'start', calls: 3 }, ...[1, 2, 3].map((calls) => ({ kind: 'step', calls }))]);
    for (const { image } of whole) expect(image).toMatchObject({ channels: 3, height: 64, width: 64 });
    expect(new Set(whole.map(({ image }) => image.data.join())).size).toBe(requests.length);

    for (const batch of [1, 2, 3]) expect(await generateImages(model, sampling, requests, batch, quiet)).toEqual(whole);
    const reversed = await generateImages(model, sampling, [...requests].reverse(), 4, quiet);
    expect([...reversed].reverse()).toEqual(whole);
  });

  it('the same prompt and seed give the same image; another seed another', async () => {
    const same = { prompt: 'a cat', seed: 4n };
    const images = await generateImages(model, sampling, [same, same, { ...same, seed: 5n }], 3, quiet);
    expect(images[0]?.image).toEqual(images[1]?.image);
    expect(images[2]?.image).not.toEqual(images[0]?.image);
  });

  it('leaves out and reports the end of a prompt that is too long, as the tokenizer does', async () => {
    const { maxLength } = model.tokenizer;
    const fits = Array.from({ length: maxLength - 2 }, () => 'cat').join(' ');
    const events: GenerateEvent[] = [];
    const [short, long] = await generateImages(
      model,
      sampling,
      [fits, `${fits} red apple`].map((prompt) => ({ prompt, seed: 0n })),
      2,
      (event) => events.push(event),
    );
    expect(events[0]).toEqual({ kind: 'truncated', index: 1, tokens: maxLength, text: 'red apple' });
    expect(events.filter(({ kind }) => kind === 'truncated')).toHaveLength(1);
    expect([short?.truncated, long?.truncated]).toEqual([undefined, 'red apple']);
    expect(long?.image).toEqual(short?.image);
  });

  it('has other sizes than the checkpoint’s own, and no guidance', async () => {
    const [image] = await generateImages(
      model,
      { ...sampling, guidance: 1, height: 8, width: 24 },
      requests.slice(0, 1),
      8,
      quiet,
    );
    expect(image?.image).toMatchObject({ height: 32, width: 96 });
    expect(image?.image.data.every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  it('refuses settings and seeds before anything runs', async () => {
    const events: GenerateEvent[] = [];
    const late = [...requests, { prompt: 'a cat', seed: 2n ** 64n }];
    await expect(generateImages(model, sampling, late, 1, (event) => events.push(event))).rejects.toMatchObject({
      code: 'sampling-invalid',
    });
    expect(events).toEqual([]);
    await expect(generateImages(model, { ...sampling, steps: 0 }, requests, 1, quiet)).rejects.toMatchObject({
      code: 'sampling-invalid',
    });
    await expect(generateImages(model, { ...sampling, height: 0 }, requests, 1, quiet)).rejects.toMatchObject({
      code: 'sampling-invalid',
    });
  });
});

describe('StableDiffusion', () => {
  it('refuses to continue latents of another size', async () => {
    const scheduler = model.scheduler(sampling);
    const start = [model.start(0, { ...sampling, height: 8 }, scheduler)];
    const [empty = new Float32Array()] = await model.encode([model.tokenizer.encode('')]);
    await expect(model.denoise(sampling, scheduler, start, [empty], empty).next()).rejects.toMatchObject({
      code: 'trajectory-invalid',
      where: 'latents',
    });
  });

  it('says which image of a batch has pixels that are not finite', async () => {
    const good = new Float32Array(4 * 16 * 16);
    await expect(model.decode(sampling, [good, good.map(() => NaN)])).rejects.toMatchObject({
      code: 'non-finite',
      where: 'image 1 of the batch',
    });
  });
});
