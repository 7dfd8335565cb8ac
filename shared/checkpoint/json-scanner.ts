/** Nested arrays and objects; serde_json, which the reference reader of safetensors stands on, stops at the same depth. */
const depthLimit = 127;

/** Characters of one number. Doubles need 24; longer ones are read by parsers at a cost that grows with their square. */
const numberLimit = 400;

const numberToken = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** Ends the reading: throws the error of whoever reads. `offset` counts characters. */
export type RefuseJson = (why: string, offset: number) => never;

/** `python` also has the constants that Python's json module writes: diffusers saves `"lambda_min_clipped": -Infinity`. */
export type JsonDialect = 'json' | 'python';

const pythonConstants: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity };

/**
 * A cursor over JSON text (RFC 8259) from somebody else. Unlike JSON.parse it refuses duplicate keys, which readers
 * resolve differently, `__proto__`, lone surrogates and deep nesting; it tells 2 from 2.0; and it lets the caller
 * check each value before the next is read, so that nothing is built that will be refused.
 */
export class JsonScanner {
  readonly #text: string;
  readonly #refuse: RefuseJson;
  readonly #dialect: JsonDialect;
  #at = 0;
  #depth = 0;

  constructor(text: string, refuse: RefuseJson, dialect: JsonDialect = 'json') {
    this.#text = text;
    this.#refuse = refuse;
    this.#dialect = dialect;
  }

  /** Where the last token began, for errors about its meaning. */
  tokenStart = 0;

  /** The first character of the next value; '' at the end. */
  peek(): string {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
    this.tokenStart = this.#at;
    return this.#text.charAt(this.#at);
  }

  /** An object; `member` reads the value of each key. */
  object(member: (key: string) => void): void {
    const keys = new Set<string>();
    this.#list('{', '}', () => {
      const key = this.string();
      if (keys.has(key)) this.#refuse(`the key ${JSON.stringify(key)} is there twice`, this.tokenStart);
      if (key === '__proto__') this.#refuse('a key is named __proto__', this.tokenStart);
      keys.add(key);
      this.#expect(':');
      member(key);
    });
  }

  /** An array; `element` reads each value. */
  array(element: () => void): void {
    this.#list('[', ']', element);
  }

  string(): string {
    if (this.peek() !== '"') this.#unexpected('a string');
    const start = this.#at;
    let escaped = false;
    for (;;) {
      const code = this.#text.charCodeAt(++this.#at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        escaped = true;
        this.#at++;
      } else if (code < 0x20) this.#refuse('a control character in a string', this.#at);
      else if (Number.isNaN(code)) this.#refuse('the text ends inside a string', this.#at);
    }
    this.#at++;
    const text = escaped ? this.#unescape(start) : this.#text.slice(start + 1, this.#at - 1);
    if (/\p{Surrogate}/u.test(text)) this.#refuse('half of a surrogate pair in a string', start);
    return text;
  }

  /** A number written without point and exponent, and not negative. */
  integer(): number {
    const token = this.#number();
    if (!/^(?:0|[1-9][0-9]*)$/.test(token)) this.#refuse(`expected a whole number, found ${token}`, this.tokenStart);
    const value = Number(token);
    if (!Number.isSafeInteger(value)) this.#refuse(`${token} is more than 2^53 - 1`, this.tokenStart);
    return value;
  }

  /** Any value. Objects come without a prototype's keys, since `__proto__` is refused. */
  value(): unknown {
    switch (this.peek()) {
      case '{': {
        const object: Record<string, unknown> = {};
        this.object((key) => (object[key] = this.value()));
        return object;
      }
      case '[': {
        const array: unknown[] = [];
        this.array(() => array.push(this.value()));
        return array;
      }
      case '"':
        return this.string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      case 'N':
      case 'I':
        return this.#constant();
      case '-':
        return this.#text.charAt(this.#at + 1) === 'I' ? this.#constant() : Number(this.#number());
      default:
        return Number(this.#number());
    }
  }

  /** Nothing but white space may follow. */
  end(): void {
    if (this.peek() !== '') this.#unexpected('the end');
  }

  #list(open: string, close: string, element: () => void): void {
    this.#expect(open);
    if (++this.#depth > depthLimit) this.#refuse(`nested more than ${depthLimit} deep`, this.tokenStart);
    if (this.peek() === close) this.#at++;
    else {
      do element();
      while (this.#comma(close));
    }
    this.#depth--;
  }

  #comma(close: string): boolean {
    const more = this.peek() === ',';
    if (!more && this.peek() !== close) this.#unexpected(`, or ${close}`);
    this.#at++;
    return more;
  }

  #expect(character: string): void {
    if (this.peek() !== character) this.#unexpected(character);
    this.#at++;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#unexpected('a value');
    this.#at += word.length;
    return value;
  }

  #constant(): number {
    if (this.#dialect === 'python') {
      const known = Object.entries(pythonConstants).find(([word]) => this.#text.startsWith(word, this.#at));
      if (known !== undefined) return this.#word(...known);
    }
    return this.#unexpected('a value');
  }

  #number(): string {
    this.peek();
    const start = this.#at;
    while (isNumberPart(this.#text.charCodeAt(this.#at))) this.#at++;
    const token = this.#text.slice(start, Math.min(this.#at, start + numberLimit + 1));
    if (token.length > numberLimit) this.#refuse(`a number of more than ${numberLimit} characters`, start);
    if (!numberToken.test(token)) {
      this.#at = start;
      this.#unexpected('a value');
    }
    if (!Number.isFinite(Number(token))) this.#refuse(`the number ${token} is out of range`, start);
    return token;
  }

  #unescape(start: number): string {
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      return this.#refuse('a wrong escape in a string', start);
    }
  }

  #unexpected(expected: string): never {
    const found = this.#text.charAt(this.#at);
    return this.#refuse(`expected ${expected}, found ${found === '' ? 'the end' : JSON.stringify(found)}`, this.#at);
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Digits, `+ - .` and `e E`; NaN, which stands for the end, is none of them. */
function isNumberPart(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e || (code | 0x20) === 0x65;
}
