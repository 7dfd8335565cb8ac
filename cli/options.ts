import { InvalidArgumentError, Option } from 'commander';
import { isPlainText } from '../shared/config/plain-text.ts';
import { type Provider, providers } from '../worker/session/provider.ts';

/** Parsers for option values. What they refuse is reported by commander with the option's name, exit code 2. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
  };
}

/** Of a flag that is a setting too: a variable that says `false` has to mean it. */
export function truth(text: string): boolean {
  if (['true', '1', 'yes', 'on'].includes(text.toLowerCase())) return true;
  if (['false', '0', 'no', 'off', ''].includes(text.toLowerCase())) return false;
  throw new InvalidArgumentError('It is true or false.');
}

/** Something in one line, and no more than so many characters. */
export function text(most: number): (given: string) => string {
  return (given) => {
    if (given !== '' && given.length <= most && isPlainText(given)) return given;
    throw new InvalidArgumentError(
      `It has 1 to ${most} characters, and none that control a terminal or are invisible.`,
    );
  };
}

export function decimal(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It is a number.');
}

/** What torch.Generator.manual_seed accepts. */
export function seed(text: string): bigint {
  if (/^-?\d{1,20}$/.test(text)) {
    const value = BigInt(text);
    if (value >= -(2n ** 63n) && value < 2n ** 64n) return value;
  }
  throw new InvalidArgumentError('It is a whole number from -2^63 to 2^64 - 1.');
}

/** `512x768`, width first, or `512` for a square. */
export function size(text: string): { readonly width: number; readonly height: number } {
  const [, width, height] = /^(\d{1,5})(?:x(\d{1,5}))?$/.exec(text) ?? [];
  if (width === undefined) throw new InvalidArgumentError('It is WIDTHxHEIGHT in pixels, such as 512x512.');
  return { width: Number(width), height: Number(height ?? width) };
}

/** Options that several commands have; each can be set by its environment variable too. */
export const checkpointOption = (): Option =>
  new Option('--checkpoint <dir>', 'diffusers checkpoint directory (default: emoji-sd, which comes with Lethe)').env(
    'LETHE_CHECKPOINT',
  );

export const variantOption = (): Option =>
  new Option('--variant <name>', 'use weights of this variant, such as fp16').env('LETHE_VARIANT');

export const providerOption = (): Option =>
  new Option('--provider <name>', 'execution provider')
    .choices(providers)
    .default('cpu' satisfies Provider)
    .env('LETHE_PROVIDER');

export const threadsOption = (): Option =>
  new Option('--threads <n>', 'threads of one model call').argParser(integer(1, 1024)).default(1).env('LETHE_THREADS');

export const jsonOption = (): Option => new Option('--json', 'print one JSON object instead of text');

/** A flag that is also a setting: `--insecure`, or LETHE_INSECURE=true. */
export const flagOption = (name: string, about: string, variable: string): Option =>
  new Option(`--${name} [true|false]`, about).preset('true').argParser(truth).env(variable);
