import type { Label, Labels } from './test-image.ts';

/** What a classifier sees in an image. */
export interface Recognition {
  /** The first choice of every head. */
  readonly choice: Labels;
  /** Of a label, by the numbers of its head; 0 for one that no head has. */
  readonly probability: (label: Label) => number;
}

/** What one head of a classifier says of an image: a logit or a probability for each label. */
export interface HeadNumbers {
  readonly head: string;
  readonly labels: readonly string[];
  readonly numbers: Float32Array;
}

/** The largest number of each head is its choice, of equal ones the first. */
export function recognitionOf(heads: readonly HeadNumbers[]): Recognition {
  const choice = Object.fromEntries(heads.map(({ head, labels, numbers }) => [head, labels[largest(numbers)] ?? '']));
  const all = new Map(
    heads.map(({ head, labels, numbers }) => {
      const shares = probabilities(numbers);
      return [head, new Map(labels.map((label, i) => [label, shares[i] ?? 0]))];
    }),
  );
  return { choice, probability: ({ head, label }) => all.get(head)?.get(label) ?? 0 };
}

/** What numbers that add up to 1 may be off it in fp16. */
const tolerance = 1e-2;

/** Of logits their softmax; numbers that are a distribution already are taken as they are. */
function probabilities(numbers: Float32Array): readonly number[] {
  const total = numbers.reduce((sum, number) => sum + number, 0);
  if (Math.abs(total - 1) <= tolerance && numbers.every((number) => number >= 0)) return [...numbers];
  const highest = numbers.reduce((most, number) => Math.max(most, number), -Infinity);
  // An infinite logit is certain; of several each as much.
  const raised = Array.from(numbers, (number) => (number === highest ? 1 : Math.exp(number - highest)));
  const sum = raised.reduce((all, each) => all + each, 0);
  return raised.map((each) => each / sum);
}

function largest(numbers: Float32Array): number {
  let best = 0;
  for (const [i, value] of numbers.entries()) if (value > (numbers[best] ?? -Infinity)) best = i;
  return best;
}
