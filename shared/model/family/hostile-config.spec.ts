import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../checkpoint/json-file.ts';
import { openCheckpoint } from '../../checkpoint/open-checkpoint.ts';
import { refusalOf, smallWeights } from '../model.spec-support.ts';
import { Module, ParameterSource } from '../module.ts';
import { clipText } from './clip/clip-text.ts';
import { parseClipTextConfig } from './clip/config.ts';
import { parseUNetConfig } from './unet/config.ts';
import { unet } from './unet/unet.ts';
import { parseVaeConfig } from './vae/config.ts';
import { vaeDecoder } from './vae/decoder.ts';

const checkpoint = await openCheckpoint('integration/golden/vectors/uneven/checkpoint');
const empty = new Module(new ParameterSource(smallWeights({})));

/** Builds a model of a config with no weights there: it has to end at the first one that is missing. */
const families: readonly (readonly [name: string, config: JsonObject, build: (config: JsonObject) => void])[] = [
  [
    'unet',
    checkpoint.unet.config,
    (config) => {
      const parsed = parseUNetConfig({ config, configPath: 'config.json' });
      const [height, width] = parsed.sampleSize;
      unet(empty, parsed, { height, width, tokens: 77, rows: 2 });
    },
  ],
  [
    'text encoder',
    checkpoint.textEncoder.config,
    (config) => {
      const parsed = parseClipTextConfig({ config, configPath: 'config.json' });
      clipText(empty, parsed, parsed.positions);
    },
  ],
  [
    'vae',
    checkpoint.vae.config,
    (config) => {
      vaeDecoder(empty, parseVaeConfig({ config, configPath: 'config.json' }), 64, 64);
    },
  ],
];

const number = fc.oneof(
  fc.constantFrom(0, -1, 1, 2, 0.5, 1e9, 2 ** 53, 1e300, NaN, Infinity, -Infinity),
  fc.integer(),
  fc.double(),
);
const settings = fc.constantFrom('silu', 'UpBlock2D', 'CrossAttnDownBlock2D', 'UpDecoderBlock2D', '__proto__', '');
const scalar = fc.oneof(number, settings, fc.string(), fc.boolean(), fc.constant(null));
const json = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 20 }),
  fc.array(fc.array(number, { maxLength: 4 }), { maxLength: 4 }),
  fc.constant(Array<number>(100_000).fill(1)),
  fc.jsonValue(),
);

describe.each(families)('a config of a %s', (_, config, build) => {
  it('is refused by name, or asks for weights, whatever is put at any of its keys', () => {
    const changes = fc.dictionary(fc.constantFrom(...Object.keys(config), 'layers_per_block', 'hidden_act'), json, {
      maxKeys: 3,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(changes, (changed) => {
        const refusal = refusalOf(() => {
          build({ ...config, ...changed });
        });
        expect(refusal).toMatch(/^(config-invalid|config-unsupported|tensor-mismatch): /);
        expect(refusal.length).toBeLessThan(20_000);
        if (refusal.startsWith('config-')) expect(Object.keys(config).some((key) => refusal.includes(key))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('may leave out any of its keys', () => {
    fc.assert(
      fc.property(fc.subarray(Object.keys(config)), (keys) => {
        const left = Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key)));
        const refusal = refusalOf(() => {
          build(left);
        });
        expect(refusal).toMatch(/^(config-invalid|tensor-mismatch): /);
      }),
    );
  });
});
