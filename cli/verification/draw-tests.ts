import type { ImageSampling, ImageSource } from '../../gen/fleet/v1/image.ts';
import { pixelDistance, type Pixels } from '../../shared/verification/pixel-distance.ts';
import { readPng } from '../../shared/verification/read-png.ts';
import type { Labels, SeenImage } from '../../shared/verification/test-image.ts';
import type { TestPrompt } from '../../shared/verification/test-prompts.ts';
import type { FleetClient } from '../fleet/fleet-client.ts';
import { type ImageAsk, type ImageWatcher, requestImages } from '../fleet/request-images.ts';
import type { Variant, VariantTest } from './test-plan.ts';

/** What sees images: their labels by head. */
export type Classify = (images: readonly Pixels[]) => Promise<readonly Labels[]>;

/** An image before and after, and what was seen in it. */
export interface TestedImage extends SeenImage {
  readonly prompt: TestPrompt;
  /** PNG files, of those that are to be shown. */
  readonly files: { readonly before: Uint8Array; readonly after: Uint8Array } | undefined;
}

/** All that was seen. */
export interface SeenTests {
  /** The image of a prompt under a variant's masks, and without them. */
  imageOf(variant: Variant, prompt: TestPrompt): TestedImage;
  /** Distinct images. */
  readonly images: number;
}

/** Images that are classified at once. */
const together = 32;
/** Images of each list of prompts that are kept to be shown. */
const shown = 4;

/**
 * Draws every test before and after from the same noise, and looks at each image once. What is drawn before is shared by all
 * variants.
 *
 * @param title of the jobs, for people
 * @param batch images in a unit
 */
export async function drawTests(
  client: FleetClient,
  source: ImageSource,
  title: string,
  batch: number,
  sampling: ImageSampling,
  plan: readonly VariantTest[],
  classify: Classify,
  watcher: ImageWatcher,
): Promise<SeenTests> {
  const asked = new Map<string, { readonly prompt: TestPrompt; readonly variants: Variant[] }>();
  for (const { variant, tests, rest } of plan)
    for (const prompt of [...rest, ...tests.flatMap(promptsOf)]) {
      const known = asked.get(keyOf(prompt)) ?? { prompt, variants: [] };
      asked.set(keyOf(prompt), known);
      if (!known.variants.includes(variant)) known.variants.push(variant);
    }
  // Before and after of a prompt follow each other: only these are held as pixels at one time.
  const wanted = [...asked.values()].flatMap(({ prompt, variants }) => [
    { prompt, variant: undefined },
    ...variants.map((variant) => ({ prompt, variant })),
  ]);
  const asks = wanted.map(({ prompt: { prompt, seed }, variant }): ImageAsk => {
    return { prompt, seed, masks: variant?.masks ?? [], sampling };
  });

  const kept = new Set(
    plan.flatMap(({ tests, rest }) => [rest, ...tests.map(({ targets }) => targets)].flatMap(firstKeys)),
  );
  const files = new Map<string, Uint8Array>();
  const distances = new Map<string, number>();
  const labels = new Map<string, Labels>();
  let waiting: { readonly name: string; readonly pixels: Pixels }[] = [];
  const look = async (): Promise<void> => {
    const found = await classify(waiting.map(({ pixels }) => pixels));
    for (const [i, { name }] of waiting.entries()) labels.set(name, found[i] ?? {});
    waiting = [];
  };
  let before: Pixels | undefined;
  let at = 0;
  for await (const file of requestImages(client, source, title, batch, asks, watcher)) {
    const ask = wanted[at++];
    if (ask === undefined) continue;
    const name = nameOf(ask.variant, ask.prompt);
    const pixels = readPng(file);
    if (ask.variant === undefined) before = pixels;
    else if (before !== undefined) distances.set(name, pixelDistance(before, pixels));
    if (kept.has(keyOf(ask.prompt))) files.set(name, file);
    waiting.push({ name, pixels });
    if (waiting.length >= together) await look();
  }
  await look();
  return {
    images: labels.size,
    imageOf: (variant, prompt) => {
      const [one, other] = [nameOf(undefined, prompt), nameOf(variant, prompt)];
      const [first, second] = [files.get(one), files.get(other)];
      return {
        prompt,
        asked: prompt.asked,
        before: labels.get(one) ?? {},
        after: labels.get(other) ?? {},
        distance: distances.get(other) ?? 0,
        files: first === undefined || second === undefined ? undefined : { before: first, after: second },
      };
    },
  };
}

function nameOf(variant: Variant | undefined, prompt: TestPrompt): string {
  return `${variant?.masks.join(' ') ?? ''}\n${keyOf(prompt)}`;
}

function firstKeys(prompts: readonly TestPrompt[]): readonly string[] {
  return prompts.slice(0, shown).map(keyOf);
}

function promptsOf({ targets, alternatives }: VariantTest['tests'][number]): readonly TestPrompt[] {
  return [...targets, ...alternatives.flatMap(({ prompts }) => prompts)];
}

function keyOf({ prompt, seed }: TestPrompt): string {
  return `${seed} ${prompt}`;
}
