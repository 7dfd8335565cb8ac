import { expect, it } from 'vitest';
import { campaign, concept } from '../../coordinator/plan/campaigns.spec-support.ts';
import { promptReuse } from './prompt-reuse.ts';

it('counts distinct test prompts, and those that the sweep has run from other seeds', () => {
  const cat = concept('cat', ['a cat'], ['a dog']);
  const own = campaign([cat], { retain: [{ prompt: 'an owl', seed: '0' }] });
  const prompts = (...texts: readonly string[]) =>
    texts.map((prompt, i) => ({ prompt, seed: `${1000 + i}`, asked: {} }));
  const test = {
    concept: cat,
    target: { head: 'object', label: 'cat' },
    targets: prompts('a cat', 'a cat', 'a cat, Ink'),
    alternatives: [],
  };
  const variant = { title: 'cat', masks: [], concepts: ['cat'] };
  const plan = [{ variant, tests: [test], rest: prompts('a dog', 'an owl', 'a fox', 'a fox') }];
  expect(promptReuse(plan, own)).toEqual({ targets: { prompts: 2, swept: 1 }, rest: { prompts: 3, swept: 2 } });
});
