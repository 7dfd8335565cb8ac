import type { z } from 'zod';
import { closest } from './closest.ts';
import { keyText, type Path, type Problem } from './problem.ts';
import type { YamlFile } from './yaml-file.ts';

type Issue = z.core.$ZodIssue;

/** Beyond so many, issues are not worth a place each; a file with them is told of more than anyone reads. */
const most = 1000;

/**
 * What a schema says about a file's value, in words for whoever wrote the file: every issue, at its line.
 *
 * @param keysOf the keys known at a path, for suggestions.
 */
export function schemaProblems(
  error: z.ZodError,
  file: YamlFile,
  keysOf: (path: Path) => readonly string[],
): readonly Problem[] {
  return error.issues.slice(0, most).flatMap((issue) => problemsOf(issue, [], file, keysOf));
}

function problemsOf(
  issue: Issue,
  above: Path,
  file: YamlFile,
  keysOf: (path: Path) => readonly string[],
): readonly Problem[] {
  const path = [...above, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, most).map((key) => {
      const known = keysOf(path);
      const meant = closest(key, known);
      const hint = meant === undefined ? `known: ${known.join(', ')}` : `did you mean ${meant}?`;
      const own = [...path, key];
      return { offset: file.keyOffsetOf(own), key: keyText(own), problem: `there is no such key; ${hint}` };
    });
  }
  if (issue.code === 'invalid_union') {
    // The branch that the value belongs to by its type says more than "none of them fits".
    const branch = issue.errors.find((issues) => !issues.some((one) => one.path.length === 0 && isTypeIssue(one)));
    if (branch !== undefined) return branch.flatMap((one) => problemsOf(one, path, file, keysOf));
    const expected = [...new Set(issue.errors.flatMap((issues) => issues.slice(0, 1).map(expectation)))];
    return [at(file, path, `expected ${expected.join(' or ')}, found ${shown(issue.input)}`)];
  }
  return [at(file, path, describe(issue))];
}

function at(file: YamlFile, path: Path, problem: string): Problem {
  return { offset: file.offsetOf(path), key: keyText(path), problem };
}

function isTypeIssue(issue: Issue): boolean {
  return issue.code === 'invalid_type';
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  bigint: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function expectation(issue: Issue): string {
  if (issue.code === 'invalid_type') return typeNames[issue.expected] ?? issue.expected;
  return issue.message;
}

function describe(issue: Issue): string {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return 'it is missing';
    const quote =
      issue.expected === 'string' && typeof issue.input !== 'object' ? '; quote it if it is meant as text' : '';
    return `expected ${expectation(issue)}, found ${shown(issue.input)}${quote}`;
  }
  if (issue.code === 'invalid_value') {
    const known = issue.values.map(String);
    const meant = typeof issue.input === 'string' ? closest(issue.input, known) : undefined;
    if (issue.input === undefined) return `it is missing; one of ${known.join(', ')}`;
    return `found ${shown(issue.input)}; expected one of ${known.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  }
  if (issue.code === 'too_small') {
    const least = `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    return amount(issue, least);
  }
  if (issue.code === 'too_big') {
    const most = `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
    return amount(issue, most);
  }
  return issue.code === 'custom' ? issue.message : `${issue.message} (found ${shown(issue.input)})`;
}

function amount(issue: Issue & { readonly origin: string }, bound: string): string {
  const { origin, input } = issue;
  if (origin === 'string') return `expected ${bound} characters, found ${String(input).length}`;
  if (origin === 'array') return `expected ${bound} entries, found ${Array.isArray(input) ? input.length : 0}`;
  return `expected ${bound}, found ${shown(input)}`;
}

/** A value in a message: what it is, and short ones themselves. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string')
    return value.length > 60 ? `a text of ${value.length} characters` : JSON.stringify(value);
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
    ? String(value)
    : typeof value;
}
