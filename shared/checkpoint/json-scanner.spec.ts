import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonScanner } from './json-scanner.ts';
import { parseJsonObject } from './json-file.ts';
import { refusal } from './fixture.spec-support.ts';

const parse = (text: string) => parseJsonObject(text, 'c.json');
const own = (text: string) => JSON.parse(text) as Record<string, unknown>;

describe('JsonScanner', () => {
  it('reads whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }), { noNullPrototype: true }),
        (value) => {
          const text = JSON.stringify(value);
          fc.pre(!text.includes('"__proto__":') && !/\\ud[89a-f]/.test(text));
          expect(parse(text)).toEqual(own(text));
          expect(parse(JSON.stringify(value, null, '\t'))).toEqual(own(text));
        },
      ),
    );
  });

  it('reads no text that JSON.parse refuses, and reads it alike', async () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      '\\',
      '"a"',
      '"b":',
      '1',
      '-0.5e+3',
      '01',
      '.5',
      'true',
      'null',
      'nul',
      ' ',
      '\n',
      '\v',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 12 }), async (middle) => {
        const text = `{"x":${middle.join('')}}`;
        let read: unknown;
        const said = await refusal(() => (read = parse(text)));
        if (said === 'not refused') expect(read).toEqual(own(text));
      }),
      { numRuns: 5000 },
    );
  });

  it.each(['NaN', 'Infinity', '-Infinity'])("refuses %s outside Python's dialect", (text) => {
    const refuse = (why: string): never => {
      throw new Error(why);
    };
    expect(() => new JsonScanner(text, refuse).value()).toThrow('expected a value');
    expect(new JsonScanner(text, refuse, 'python').value()).toBe(Number(text));
  });

  const attacks: readonly (readonly [string, string, string])[] = [
    ['a key twice', '{"a":1,"b":{},"a":2}', 'c.json:1:15): the key "a" is there twice'],
    ['a key twice deep inside', '{"x":[{"a":1,\n"a":2}]}', 'c.json:2:1): the key "a" is there twice'],
    ['__proto__', '{"__proto__":{"admin":true}}', 'a key is named __proto__'],
    ['a number as long as the text', `{"a":${'1'.repeat(1e6)}}`, 'a number of more than 400 characters'],
    ['an unclosed string', '{"a":"', 'the text ends inside a string'],
    ['an unclosed string that ends in an escape', '{"a":"\\', 'the text ends inside a string'],
    ['nesting that would exhaust the stack', `{"a":${'['.repeat(1e6)}`, 'nested more than 127 deep'],
    ['brackets that do not match', '{"a":[1}}', 'expected , or ], found "}"'],
  ];
  for (const [title, text, why] of attacks) {
    it(`refuses ${title}`, async () => {
      expect(await refusal(() => parse(text))).toContain(why);
    });
  }
});
