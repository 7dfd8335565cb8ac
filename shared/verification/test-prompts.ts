import { fillTemplate, headsOf } from './prompt-template.ts';
import type { Label, Labels } from './test-image.ts';

/** A prompt with its noise, and what it names. */
export interface TestPrompt {
  readonly prompt: string;
  /** Decimal. */
  readonly seed: string;
  readonly asked: Labels;
}

/** What test images are made of. */
export interface TestPool {
  readonly templates: readonly string[];
  /** Labels that are drawn, by head. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  /** What stands for a label in a prompt, by head and label. */
  readonly phrases: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Of the first prompt; each of those after has the next. */
  readonly seed: bigint;
}

/** Seeds that torch.Generator.manual_seed accepts. */
const seeds = 2n ** 64n;

/**
 * Test prompts without end: labels and templates in turn, so that every part of the list has nearly as many of each, and
 * every combination of labels comes before any comes again, then with another template. Each prompt has noise of its own.
 * The same pool gives the same prompts, so concepts that ask for some of one pool share images.
 */
export function* testPrompts(pool: TestPool): Generator<TestPrompt, void> {
  const { templates, phrases, seed } = pool;
  const heads = [...new Set(templates.flatMap(headsOf))];
  const combinations = combinationsOf(pool);
  for (let k = 0; ; k++) {
    const { labels, digits } = combinationAt(k % combinations, heads, pool.labels);
    const template = templates[(digits + Math.floor(k / combinations)) % templates.length] ?? '';
    const asked = Object.fromEntries(headsOf(template).map((head) => [head, labels[head] ?? '']));
    yield { prompt: fillTemplate(template, asked, phrases), seed: String((seed + BigInt(k)) % seeds), asked };
  }
}

/** The first `count` prompts of a pool that name a label, or that do not. */
export function promptsWith(pool: TestPool, { head, label }: Label, count: number): readonly TestPrompt[] {
  const names = pool.templates.some((template) => headsOf(template).includes(head));
  if (!names || pool.labels[head]?.includes(label) !== true) return [];
  return firstOf(pool, count, ({ asked }) => asked[head] === label);
}

/** The first `count` prompts that name none of these labels; none if every prompt names one. */
export function promptsWithout(pool: TestPool, targets: readonly Label[], count: number): readonly TestPrompt[] {
  const isFree = ({ asked }: TestPrompt): boolean => targets.every(({ head, label }) => asked[head] !== label);
  let left = combinationsOf(pool) * pool.templates.length;
  for (const each of testPrompts(pool)) {
    if (isFree(each)) return firstOf(pool, count, isFree);
    left -= 1;
    if (left === 0) break;
  }
  return [];
}

function firstOf(pool: TestPool, count: number, isWanted: (prompt: TestPrompt) => boolean): readonly TestPrompt[] {
  const found: TestPrompt[] = [];
  if (count === 0) return found;
  for (const each of testPrompts(pool)) {
    if (isWanted(each)) found.push(each);
    if (found.length >= count) break;
  }
  return found;
}

function combinationsOf({ templates, labels }: TestPool): number {
  const heads = [...new Set(templates.flatMap(headsOf))];
  return heads.reduce((product, head) => product * Math.max(1, labels[head]?.length ?? 0), 1);
}

/**
 * The n-th combination of labels: digits of n, each shifted by those before it, so that from one to the next all heads
 * change. `digits` is their sum.
 */
function combinationAt(
  n: number,
  heads: readonly string[],
  all: TestPool['labels'],
): { readonly labels: Labels; readonly digits: number } {
  let [rest, digits] = [n, 0];
  const labels: Record<string, string> = {};
  for (const head of heads) {
    const own = all[head] ?? [];
    const size = Math.max(1, own.length);
    digits += rest % size;
    labels[head] = own[digits % size] ?? '';
    rest = Math.floor(rest / size);
  }
  return { labels, digits };
}
