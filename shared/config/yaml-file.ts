import { Composer, type CST, isAlias, isMap, isScalar, isSeq, Lexer, type Node, Parser } from 'yaml';
import { keyText, type Path, type Problem } from './problem.ts';

/** A YAML file as plain values, with the place of each of them. */
export interface YamlFile {
  /** Maps are objects, whole numbers beyond 2^53 are bigints; `undefined` if the file could not be read at all. */
  readonly value: unknown;
  /** Everything that is wrong with the file as YAML. */
  readonly problems: readonly Problem[];
  /** Offset of the value at a path; of the nearest thing around it where there is none. */
  readonly offsetOf: (path: Path) => number;
  /** Offset of the key at the end of a path; of its value where it has no key. */
  readonly keyOffsetOf: (path: Path) => number;
}

/** What a file may be, beyond which it is refused rather than read. */
const limits = {
  /** UTF-16 code units. 100,000 prompts of 40 characters. */
  length: 4 * 2 ** 20,
  /** Collections within collections; what Lethe reads has six. */
  depth: 32,
  /** Values, after aliases are replaced by what they stand for. */
  values: 500_000,
};

/** Reads YAML 1.2 (one document, core schema): plain data and aliases, no tags of its own. Throws nothing. */
export function readYaml(text: string): YamlFile {
  const nothing = (offset: number, problem: string): YamlFile => ({
    value: undefined,
    problems: [{ offset, key: '', problem }],
    offsetOf: () => offset,
    keyOffsetOf: () => offset,
  });
  if (text.length > limits.length)
    return nothing(0, `the file has ${text.length} characters; at most ${limits.length} are read`);
  const tokens = tokensOf(text);
  if (typeof tokens === 'number') return nothing(tokens, `more than ${limits.depth} levels are nested here`);
  // Keys are checked for duplicates below: the library compares each with all others.
  const composer = new Composer({ intAsBigInt: true, uniqueKeys: false, logLevel: 'silent' });
  const [document, second] = composer.compose(tokens, true, text.length);
  if (document === undefined) return nothing(0, 'the file is empty');
  const problems: Problem[] = [...document.errors, ...document.warnings].map(({ pos: [offset], message }) => ({
    offset,
    key: '',
    problem: firstLine(message),
  }));
  if (second !== undefined)
    problems.push({ offset: second.range[0], key: '', problem: 'a second document begins; the file has to hold one' });
  const { version, explicit } = document.directives.yaml;
  if (explicit === true && version !== '1.2')
    problems.push({ offset: 0, key: '', problem: `it is YAML ${version}; YAML 1.2 is read` });
  // What comes after a syntax error may have been taken for something else: its shape is not worth reporting.
  const broken = problems.length > 0;
  const walk = new Walk(problems);
  const value = broken ? undefined : walk.value(document.contents, [], 0);
  const root = document.contents;
  return {
    value,
    problems,
    offsetOf: (path) => walk.locate(root, path).offset,
    keyOffsetOf: (path) => {
      const { offset, key } = walk.locate(root, path);
      return key ?? offset;
    },
  };
}

/** The concrete syntax, or the offset where it is nested too deep: composing such a file would exhaust memory. */
function tokensOf(text: string): readonly CST.Token[] | number {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > 2 * limits.depth) return parser.offset;
  }
  return [...tokens, ...parser.end()];
}

/** From nodes to values; anchors are known from where they stand. */
class Walk {
  readonly #problems: Problem[];
  readonly #anchors = new Map<string, Node>();
  /** What aliases stand for, once it is known. */
  readonly #targets = new Map<Node, Node>();
  readonly #open = new Set<Node>();
  #values = 0;

  constructor(problems: Problem[]) {
    this.#problems = problems;
  }

  value(node: Node | null | undefined, path: Path, depth: number): unknown {
    if (node === null || node === undefined) return null;
    this.#values += 1;
    if (this.#values > limits.values) {
      if (this.#values === limits.values + 1)
        this.#refuse(node, path, `the file stands for more than ${limits.values} values`);
      return undefined;
    }
    if (depth > limits.depth) return this.#refuse(node, path, `more than ${limits.depth} levels are nested here`);
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined) return this.#refuse(node, path, `no anchor &${node.source} stands before this alias`);
      if (this.#open.has(target)) return this.#refuse(node, path, `*${node.source} stands for what it is a part of`);
      this.#targets.set(node, target);
      return this.value(target, path, depth + 1);
    }
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return this.#refuse(node, path, 'it is no value');
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node, path);
    this.#open.add(node);
    const value = isMap(node)
      ? this.#map(node.items as readonly Pair[], path, depth)
      : node.items.map((item, i) => this.value(item as Node | null, [...path, i], depth + 1));
    this.#open.delete(node);
    return value;
  }

  #map(items: readonly Pair[], path: Path, depth: number): unknown {
    const members = new Map<string, unknown>();
    for (const { key, value } of items) {
      const name = isScalar(key) ? key.value : undefined;
      if (typeof name !== 'string' || name === '__proto__') {
        this.#refuse(key ?? value ?? undefined, path, 'a key has to be a text');
        continue;
      }
      const own = [...path, name];
      if (members.has(name)) this.#refuse(key ?? undefined, own, 'the key is there twice');
      const member = this.value(value, own, depth + 1);
      if (!members.has(name)) members.set(name, member);
    }
    return Object.fromEntries(members);
  }

  #scalar(node: Node & { value: unknown }, path: Path): unknown {
    const { value } = node;
    if (typeof value === 'bigint') {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    }
    if (typeof value === 'string' && /\p{Surrogate}/u.test(value))
      return this.#refuse(node, path, 'the text holds half a surrogate pair');
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return value;
    return this.#refuse(node, path, 'it is no text, number, boolean or null');
  }

  /** Follows a path as far as it leads. */
  locate(root: Node | null, path: Path): { readonly offset: number; readonly key: number | undefined } {
    let [node, offset, key] = [this.#target(root), root?.range?.[0] ?? 0, undefined as number | undefined];
    for (const step of path) {
      let next: Node | null | undefined;
      let nextKey: Node | null | undefined;
      if (isMap(node)) {
        const pair = (node.items as readonly Pair[]).find((item) => isScalar(item.key) && item.key.value === step);
        [next, nextKey] = [pair?.value, pair?.key];
      } else if (isSeq(node)) next = node.items[Number(step)] as Node | null | undefined;
      if (next === undefined && nextKey === undefined) break;
      key = nextKey?.range?.[0];
      offset = next?.range?.[0] ?? key ?? offset;
      node = this.#target(next ?? null);
    }
    return { offset, key };
  }

  #target(node: Node | null): Node | null {
    return (node === null ? undefined : this.#targets.get(node)) ?? node;
  }

  #refuse(node: Node | undefined, path: Path, problem: string): unknown {
    this.#problems.push({ offset: node?.range?.[0] ?? 0, key: keyText(path), problem });
    return undefined;
  }
}

interface Pair {
  readonly key: Node | null;
  readonly value: Node | null;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}
