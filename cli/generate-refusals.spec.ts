import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSafetensors } from '../shared/checkpoint/read-safetensors.ts';
import { copyOfEmojiSd, editJson } from '../worker/diffusion/emoji-sd.spec-support.ts';
import { lethe } from './run-command.spec-support.ts';

/** As few model calls as there can be. */
const quick = ['--scheduler', 'euler', '--steps', '2'];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-generate-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('lethe generate refuses', () => {
  it.each([
    [['--steps', '0'], 'usage', /--steps/],
    [['--steps', '1001'], 'sampling-invalid', /1000/],
    [['--seed', '1.5'], 'usage', /--seed/],
    [['--seed', '18446744073709551616'], 'usage', /--seed/],
    [['--seed', '18446744073709551615', '--prompt', 'a', 'b'], 'sampling-invalid', /18446744073709551616/],
    [['--size', '63x64'], 'sampling-invalid', /multiples of 4/],
    [['--size', '0x64'], 'sampling-invalid', /0×16/],
    [['--size', 'large'], 'usage', /--size/],
    // Before anybody is asked for the mask.
    [['--size', '63x64', '--mask', 'Neon'], 'sampling-invalid', /multiples of 4/],
    [['--steps', '1000', '--mask', 'Neon'], 'sampling-invalid', /timestep 1000/],
    [['--guidance', 'much'], 'usage', /--guidance/],
    [['--batch', '0'], 'usage', /--batch/],
    [['--threads', '0'], 'usage', /--threads/],
    [['--scheduler', 'magic'], 'usage', /pndm, ddim, euler, euler-ancestral, dpmpp-2m/],
    [['--provider', 'tpu'], 'usage', /cpu, cuda/],
    [['--checkpoint', 'nowhere'], 'checkpoint-layout', /nowhere/],
    [['--checkpoint', 'package.json'], 'checkpoint-layout', /single file/],
    [['--variant', 'fp99'], 'checkpoint-layout', /fp99/],
    [['--promt', 'a cat'], 'usage', /--prompt/],
    [['a cat'], 'usage', /too many arguments/],
  ])('%j with 2 and %s', async (args, code, why) => {
    const made = await lethe(['generate', '--json', '--out', folder, ...args]);
    const { error } = JSON.parse(made.stdout) as { error: Record<string, string> };
    expect({ exit: made.code, code: error['code'] }).toEqual({ exit: 2, code });
    expect(Object.values(error).join('\n')).toMatch(why);
    expect(error['next']).toMatch(/\w{3}/);
    expect(made.stderr).toMatch(new RegExp(`^error: .* \\[${code}\\]\n`));
    expect(made.stderr).not.toMatch(/^\s+at /m);
    expect(await readdir(folder)).toEqual([]);
  });

  it('a place that cannot be written to, with 1 and before a model is run', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    for (const out of [join(file, 'below.png'), join(file, 'folder'), file]) {
      const { code, stdout, stderr } = await lethe(['generate', ...quick, '--out', out]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^error: cannot write images \[write-failed\]\n {2}where: .*file/);
      expect(stderr).toContain('--out');
      expect(stderr).not.toContain('denoising');
    }
  });

  it('a picture that cannot be written, with 1 and before a model is run', async () => {
    // Root may write over anything in a folder, but makes no file in the kernel's.
    const out = process.getuid?.() === 0 ? '/sys/kernel/kept.png' : join(folder, 'kept.png');
    if (!out.startsWith('/sys')) await writeFile(out, 'kept', { mode: 0o444 });
    const { code, stderr } = await lethe(['generate', ...quick, '--out', out]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: cannot write images \[write-failed\]\n {2}where: .*kept\.png/);
    expect(stderr).not.toContain('denoising');
  });

  it('a provider that is not there, with 1', async () => {
    const provider = process.platform === 'darwin' ? 'dml' : 'coreml';
    const { code, stderr } = await lethe(['generate', ...quick, '--out', folder], { LETHE_PROVIDER: provider });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^error: cannot use the ${provider} provider \\[provider-unavailable\\]$`, 'm'));
    expect(stderr).toContain('use --provider cpu');
  });
});

describe('lethe generate refuses a checkpoint with', () => {
  let copy: string;
  beforeEach(async () => {
    copy = await copyOfEmojiSd();
  });
  afterEach(() => rm(copy, { recursive: true }));

  const unetFile = () => join(copy, 'unet', 'diffusion_pytorch_model.safetensors');
  /** Of a run that did not get to its first model call. */
  const refusal = async () => {
    const made = await lethe(['generate', '--json', ...quick, '--checkpoint', copy, '--out', folder]);
    expect(made.code).toBe(2);
    expect(made.stderr).not.toContain('denoising');
    return (JSON.parse(made.stdout) as { error: Record<string, string> }).error;
  };

  it('damaged weights', async () => {
    const { size } = await readSafetensors(unetFile());
    await truncate(unetFile(), size - 1);
    expect(await refusal()).toMatchObject({
      code: 'safetensors-invalid',
      where: expect.stringContaining('diffusion_pytorch_model.safetensors, tensor ') as string,
    });
  });

  it('a header that claims more than there is', async () => {
    await writeFile(unetFile(), Buffer.alloc(64, 0xff));
    expect(await refusal()).toMatchObject({ code: 'safetensors-invalid' });
  });

  it('a config that asks for something else', async () => {
    await editJson(join(copy, 'unet', 'config.json'), { class_embed_type: 'timestep' });
    expect(await refusal()).toMatchObject({
      code: 'config-unsupported',
      what: 'class_embed_type = "timestep" is not supported',
      where: join(copy, 'unet', 'config.json'),
    });
  });

  it('a tensor of another shape', async () => {
    await editJson(join(copy, 'unet', 'config.json'), { conv_in_kernel: 5 });
    const { code, what, why } = await refusal();
    expect({ code, what }).toEqual({ code: 'tensor-mismatch', what: 'cannot use tensor conv_in.weight' });
    expect(why).toBe('its shape is [64,4,3,3], the config asks for [64,4,5,5]');
  });

  it('a decoder of another shape, before the hours that come before decoding', async () => {
    await editJson(join(copy, 'vae', 'config.json'), { layers_per_block: 3 });
    expect(await refusal()).toMatchObject({
      code: 'tensor-mismatch',
      why: expect.stringContaining('no such tensor') as string,
    });
  });

  it('another pipeline', async () => {
    await editJson(join(copy, 'model_index.json'), { _class_name: 'StableDiffusion3Pipeline' });
    expect(await refusal()).toMatchObject({ code: 'config-unsupported', why: 'supported: StableDiffusionPipeline' });
  });

  it('a part that is not there', async () => {
    await rm(join(copy, 'text_encoder'), { recursive: true });
    expect(await refusal()).toMatchObject({ code: 'checkpoint-layout' });
  });
});
