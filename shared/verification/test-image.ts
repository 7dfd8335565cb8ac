/** Labels by the classifier's heads, such as `{ object: 'violin', style: 'Neon' }`. */
export type Labels = Readonly<Record<string, string>>;

/** What is to be forgotten, in the classifier's words. */
export interface Label {
  readonly head: string;
  readonly label: string;
}

/** An image of one prompt and one noise, before and after, as the classifier sees it. */
export interface SeenImage {
  /** What the prompt names: heads that it does not name are absent. */
  readonly asked: Labels;
  /** The classifier's first choice of every head. */
  readonly before: Labels;
  readonly after: Labels;
  /** Mean absolute difference of the two images, of 0 to 1. */
  readonly distance: number;
}

/** Whether a label is what an image was recognised as. */
export function shows(labels: Labels, { head, label }: Label): boolean {
  return labels[head] === label;
}
