/**
 * The textual inversions of several vectors among added tokens: `<zog>`, `<zog>_1`, `<zog>_2`, … are the vectors of one
 * concept, and a prompt names it by the first alone.
 *
 * @param added contents of the added tokens
 * @returns by the first token: all of them, with a space between two, as diffusers puts them into the prompt
 *   (maybe_convert_prompt, loaders/textual_inversion.py, 0.29.2). A concept of one vector is left out.
 */
export function textualInversions(added: readonly string[]): ReadonlyMap<string, string> {
  const known = new Set(added);
  const concepts = new Map<string, string>();
  for (const token of added) {
    const vectors = [token];
    while (known.has(`${token}_${vectors.length}`)) vectors.push(`${token}_${vectors.length}`);
    if (vectors.length > 1) concepts.set(token, vectors.join(' '));
  }
  return concepts;
}
