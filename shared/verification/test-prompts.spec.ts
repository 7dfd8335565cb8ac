import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillTemplate, headsOf, isTemplate } from './prompt-template.ts';
import { promptsWith, promptsWithout, type TestPool, type TestPrompt } from './test-prompts.ts';

const all = (pool: TestPool, count: number): readonly TestPrompt[] => promptsWithout(pool, [], count);

const emoji: TestPool = {
  templates: ['a picture of {a object} in the style of {style}', '{a object}, {style}', 'a picture of {a object}'],
  labels: { object: ['cat', 'owl', 'rose'], style: ['Ink', 'Neon'] },
  phrases: { object: { rose: 'the rose' } },
  seed: 1000n,
};

describe('templates', () => {
  it('name labels with their article, or as they are to be said', () => {
    const [template = ''] = emoji.templates;
    const filled = (object: string) => fillTemplate(template, { object, style: 'Ink' }, emoji.phrases);
    expect(filled('cat')).toBe('a picture of a cat in the style of Ink');
    expect(filled('owl')).toBe('a picture of an owl in the style of Ink');
    expect(filled('rose')).toBe('a picture of the rose in the style of Ink');
    expect(headsOf(template)).toEqual(['object', 'style']);
  });

  it('have no brace that is none of a placeholder', () => {
    expect(['no places', '{style}', '{a object} and {style}'].every(isTemplate)).toBe(true);
    expect(['{', '{}', '{a b c}', 'x}', '{{style}}'].some(isTemplate)).toBe(false);
  });
});

describe('test prompts', () => {
  const pools = fc
    .record({
      templates: fc.subarray([...emoji.templates], { minLength: 1 }),
      object: fc.integer({ min: 1, max: 7 }),
      style: fc.integer({ min: 1, max: 5 }),
    })
    .map(({ templates, object, style }): TestPool => {
      const named = (head: string, count: number) => Array.from({ length: count }, (_, i) => `${head}${i}`);
      return { templates, labels: { object: named('o', object), style: named('s', style) }, phrases: {}, seed: 5n };
    });
  const count = fc.integer({ min: 1, max: 60 });

  it('have noise of their own, and fewer of them are the beginning of more', () => {
    fc.assert(
      fc.property(pools, count, (pool, most) => {
        const prompts = all(pool, most);
        expect(new Set(prompts.map(({ seed }) => seed)).size).toBe(most);
        expect(all(pool, 2 * most).slice(0, most)).toEqual(prompts);
      }),
    );
  });

  it('name every label equally often, but for one', () => {
    fc.assert(
      fc.property(pools, count, (pool, most) => {
        const times = new Map((pool.labels['object'] ?? []).map((label) => [label, 0]));
        for (const { asked } of all(pool, most))
          times.set(asked['object'] ?? '', (times.get(asked['object'] ?? '') ?? 0) + 1);
        expect(Math.max(...times.values()) - Math.min(...times.values())).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('bring every combination before any comes again, and then with another template', () => {
    const pool = { ...emoji, templates: emoji.templates.slice(0, 2) };
    const round = (from: number) => all(pool, 12).slice(from, from + 6);
    const combinations = (prompts: readonly TestPrompt[]) => new Set(prompts.map(({ asked }) => JSON.stringify(asked)));
    expect(combinations(round(0)).size).toBe(6);
    expect(combinations(round(6))).toEqual(combinations(round(0)));
    expect(new Set(all(pool, 12).map(({ prompt }) => prompt)).size).toBe(12);
  });

  it('name the target, or none of the targets; concepts of one pool share what they ask for', () => {
    const cat = { head: 'object', label: 'cat' };
    const neon = { head: 'style', label: 'Neon' };
    expect(promptsWith(emoji, cat, 20).every(({ asked }) => asked['object'] === 'cat')).toBe(true);
    const [free, freer] = [promptsWithout(emoji, [cat], 30), promptsWithout(emoji, [cat, neon], 30)];
    expect(free.some(({ asked }) => asked['object'] === 'cat')).toBe(false);
    expect(freer.some(({ asked }) => asked['object'] === 'cat' || asked['style'] === 'Neon')).toBe(false);
    const shared = free.filter((each) => freer.some(({ seed }) => seed === each.seed));
    expect(shared.length).toBeGreaterThan(10);
    for (const each of shared) expect(freer).toContainEqual(each);
  });

  it('are none where no template has a place for the target, or all have it', () => {
    expect(promptsWith(emoji, { head: 'sex', label: 'man' }, 5)).toEqual([]);
    expect(promptsWith(emoji, { head: 'object', label: 'dog' }, 5)).toEqual([]);
    const single: TestPool = { ...emoji, templates: ['{object}'], labels: { object: ['cat'] } };
    expect(promptsWithout(single, [{ head: 'object', label: 'cat' }], 5)).toEqual([]);
  });
});
