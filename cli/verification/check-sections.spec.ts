import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCampaign } from '../../coordinator/plan/parse-campaign.ts';
import { tunedTrajectories } from '../tuning/probe-lists.ts';
import { checkSections } from './check-sections.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-sections-'));
});
afterAll(() => rm(folder, { recursive: true }));

const text = `name: c
concepts:
  - name: Neon
    kind: style
    things: [a cat, a bus]
    phrase: in Neon
verify:
  prompts:
    - a picture of {a object} in the style of {style}
  labels:
    object: { without: [cat] }
  images: 4
  thresholds: { ua: 0.5 }
`;
const check = async (changed: string): Promise<void> => {
  const file = join(folder, 'c.yaml');
  await checkSections(changed, file, parseCampaign(changed, file));
};
const at = (place: string): string => expect.stringContaining(`c.yaml:${place}`) as string;

describe('the sections verify and tune, before anything runs', () => {
  it('are in order, or not there', async () => {
    await check(text);
    await check(`${text}tune: { images: 4 }\n`);
    await check(text.replace(/verify:[^]*/, ''));
  });

  it.each([
    ['name: Neon', 'name: Noen', '3:11 concepts[0].name', /"Noen"; did you mean Neon/],
    ['phrase: in Neon', 'phrase: in Neon\n    verify: { label: Nean }', '7:22 concepts[0].verify.label', /"Nean"/],
    ['phrase: in Neon', 'phrase: in Neon\n    verify: { head: stile }', '7:21 concepts[0].verify.head', /"stile"/],
    ['{style}', '{stile}', '9:7 verify.prompts[0]', /"stile"; did you mean style/],
    ['[cat]', '[bus, cta]', '11:30 verify.labels.object.without[1]', /"cta"; did you mean cat/],
    ['without: [cat]', 'phrases: { cta: kitty }', '11:31 verify.labels.object.phrases.cta', /"cta"/],
    [
      'thresholds: { ua: 0.5 }',
      'thresholds: { ua: 0.5 }\n  classifier: none.json',
      '14:15 verify.classifier: ',
      /ENOENT/,
    ],
  ])('are refused with %j as %j, at the line', async (was, is, place, why) => {
    const refusal = check(text.replace(was, is));
    await expect(refusal).rejects.toMatchObject({ where: at(place), isInput: true });
    await expect(refusal).rejects.toThrow(why);
  });

  it.each([
    ['is not there', undefined, /ENOENT/],
    ['was not fetched', 'version https://git-lfs.github.com/spec/v1\n', /Git LFS pointer/],
    ['is empty', '', /empty/],
  ])('are refused where the classifier has a model that %s', async (_, model, why) => {
    const own = JSON.parse(await readFile(resolve('checkpoint/emoji-sd/classifier/classifier.json'), 'utf8')) as object;
    await writeFile(join(folder, 'own.json'), JSON.stringify({ ...own, model: 'own.onnx' }));
    await rm(join(folder, 'own.onnx'), { force: true });
    if (model !== undefined) await writeFile(join(folder, 'own.onnx'), model);
    const refusal = check(`${text}  classifier: own.json\n`);
    await expect(refusal).rejects.toMatchObject({ code: 'config-invalid', where: at('14:15 verify.classifier: ') });
    await expect(refusal).rejects.toThrow(why);
  });

  it('are refused where tuning would look at what the sweep has seen, or verify at what tuning has', async () => {
    const only = `${text}tune: { images: 4, seed: 7000 }\n`
      .replace('without: [cat]', 'only: [owl]')
      .replace('labels:', 'labels:\n    style: { only: [Neon, Ink] }');
    const heads = { object: ['owl'], style: ['Neon', 'Ink'] };
    const { trajectories } = tunedTrajectories(parseCampaign(only, 'c'), heads, 'c');
    const [{ prompt, seed } = { prompt: '', seed: '' }] = trajectories;
    const swept = only
      .replace('phrase: in Neon', `seeds: [${seed}, 1]`)
      .replace('things: [a cat,', `base: [c, d]\n    target: [${prompt},`);
    await expect(check(swept)).rejects.toMatchObject({ where: at('16:26 tune.seed') });
    const same = only.replace('images: 4\n', 'images: 4\n  seed: 7000\n');
    await expect(check(same)).rejects.toMatchObject({ where: at('14:9 verify.seed') });
  });
});
