/** What base prompts show; a bench takes the first so many. */
const things = [
  'a red apple',
  'a cat',
  'a dog',
  'an owl',
  'a fish',
  'a violin',
  'a rocket',
  'a castle',
  'a sunflower',
  'a cactus',
  'a pizza',
  'a bus',
  'a teapot',
  'a mushroom',
  'a hammer',
  'a crown',
];

export const mostPairs = things.length;

/** Ten styles: those that emoji-sd knows, and two that it does not. */
export const styles = [
  'Twemoji',
  'Noto',
  'Fluent',
  'Ink',
  'Pixel Art',
  'Blueprint',
  'Neon',
  'Poster',
  'Watercolour',
  'Woodcut',
];

/** UNet calls that are scored. */
export const tau = 10;

/** Trajectories in a unit where one worker runs them: what campaigns default to. */
export const defaultBatch = 8;
/**
 * Where two workers share them: two units a cohort of a dozen, so that their number is even and both workers end at about
 * the same time. With 4, the last of 33 units ran alone.
 */
export const sharedBatch = 6;

/** Styles over the same base prompts, with all settings those of the reference. */
export function campaignText(named: readonly string[], pairs: number, batch: number, skillRatio: number): string {
  return JSON.stringify({
    name: 'bench',
    sampling: { scheduler: 'pndm', steps: 50, guidance: 7.5 },
    tau,
    batch,
    seed: 0,
    mask: { sites: { ffn2: { skill_ratio: skillRatio, selection: 'reference' } } },
    prompts: { things: things.slice(0, pairs).map((thing) => `a picture of ${thing}`) },
    concepts: named.map((style) => ({
      name: style,
      kind: 'style',
      things: 'things',
      phrase: `in the style of ${style}`,
    })),
  });
}
