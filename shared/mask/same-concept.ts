/**
 * The key under which a concept's name is found: two names with one key are the same concept, from the campaign to the audit
 * log. Spelling in Unicode (composed, decomposed, full width), letter case, invisible characters and runs of white space do
 * not tell names apart: people could not see the difference. It follows Unicode's compatibility caseless matching
 * (The Unicode Standard, definition D146), upper case and back standing in for the folding that JavaScript does not have.
 */
export function conceptKey(name: string): string {
  const plain = name.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  return plain.toUpperCase().toLowerCase().normalize('NFKC').replace(/\s+/gu, ' ').trim();
}

/** Whether two names are of one concept. */
export function isSameConcept(a: string, b: string): boolean {
  return a === b || conceptKey(a) === conceptKey(b);
}
