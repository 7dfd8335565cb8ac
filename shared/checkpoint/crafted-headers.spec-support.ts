import { lengthField, rawSafetensors } from './fixture.spec-support.ts';

/** A crafted file, what the reference reader makes of it, and what Lethe says: part of its reason, or nothing if it reads it. */
export interface CraftedHeader {
  readonly title: string;
  readonly file: Uint8Array;
  /** `safetensors.deserialize(file)` of the Python package safetensors 0.8.0. */
  readonly reference: 'reads' | 'refuses';
  readonly refusal?: string;
}

const u8 = (rest: string) => `{"dtype":"U8",${rest}}`;
const one = u8('"shape":[1],"data_offsets":[0,1]');
const nested = (depth: number) => u8(`"shape":[0],"data_offsets":[0,0],"x":${'['.repeat(depth)}${']'.repeat(depth)}`);

/** A file of this header and as many zero bytes. */
const file = (header: string, dataBytes = 0): Uint8Array => rawSafetensors(header, new Uint8Array(dataBytes));

function refusedByBoth(title: string, bytes: Uint8Array, refusal: string): CraftedHeader {
  return { title, file: bytes, reference: 'refuses', refusal };
}

function readByBoth(title: string, bytes: Uint8Array): CraftedHeader {
  return { title, file: bytes, reference: 'reads' };
}

/** What only Lethe refuses; `parseSafetensorsHeader` says why. */
function refusedByLethe(title: string, bytes: Uint8Array, refusal: string): CraftedHeader {
  return { title, file: bytes, reference: 'reads', refusal };
}

/** Attacks and oddities, each a file and a line of its own. */
// prettier-ignore
export const craftedHeaders: readonly CraftedHeader[] = [
  refusedByBoth('an empty file', new Uint8Array(), 'the file has 0 bytes'),
  refusedByBoth('a file of seven bytes', new Uint8Array(7), 'the file has 7 bytes'),
  refusedByBoth('a header of no bytes', file(''), 'expected {, found the end'),
  refusedByBoth('a header length over the limit', Buffer.concat([lengthField(100_000_001n), Buffer.from('{}')]), 'claims 100000001 bytes'),
  refusedByBoth('a header length of 2^64 - 1', Buffer.concat([lengthField(2n ** 64n - 1n), Buffer.from('{}')]), 'claims 18446744073709551615 bytes'),
  refusedByBoth('a header length past the end', Buffer.concat([lengthField(3n), Buffer.from('{}')]), 'claims 3 bytes; the file has 2 left'),
  refusedByBoth('a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'Git LFS pointer'),
  refusedByBoth('not UTF-8', rawSafetensors(Buffer.from('{"\xff":1}', 'latin1')), 'not UTF-8'),
  refusedByBoth('a byte order mark', file('\ufeff{}'), 'expected {'),
  refusedByBoth('not JSON', file('hello'), 'expected {'),
  refusedByBoth('a comment', file('{/**/}'), 'expected a string'),
  refusedByBoth('a comma at the end', file(`{"t":${one},}`, 1), 'expected a string'),
  refusedByBoth('JSON cut short', file('{"t":{"dtype":"U8"'), 'expected , or }'),
  refusedByBoth('more after the object', file('{}{}'), 'expected the end'),
  refusedByBoth('a NUL after the object', file('{}\0'), 'expected the end'),
  refusedByBoth('an array for the header', file('[]'), 'expected {'),
  refusedByBoth('null for the header', file('null'), 'expected {'),
  refusedByBoth('a control character in a name', file(`{"a\nb":${one}}`, 1), 'a control character'),
  refusedByBoth('half of a surrogate pair', file(`{"\\ud800":${one}}`, 1), 'half of a surrogate pair'),
  refusedByBoth('a wrong escape', file(`{"\\x41":${one}}`, 1), 'a wrong escape'),
  refusedByBoth('too deep nesting in an unknown key', file(`{"t":${nested(126)}}`), 'nested more than 127 deep'),
  refusedByBoth('a hundred thousand brackets', file(`{"t":${nested(100_000)}}`), 'nested more than 127 deep'),
  refusedByBoth('a number out of range', file(`{"t":${u8('"shape":[0],"data_offsets":[0,0],"x":1e999')}}`), 'out of range'),

  refusedByBoth('a number for an entry', file('{"t":1}'), 'expected {'),
  refusedByBoth('null for an entry', file('{"t":null}'), 'expected {'),
  refusedByBoth('no dtype', file('{"t":{"shape":[1],"data_offsets":[0,1]}}', 1), 'it has no dtype'),
  refusedByBoth('no shape', file(`{"t":${u8('"data_offsets":[0,1]')}}`, 1), 'it has no shape'),
  refusedByBoth('no data_offsets', file(`{"t":${u8('"shape":[1]')}}`, 1), 'it has no data_offsets'),
  refusedByBoth('an unknown dtype', file('{"t":{"dtype":"F42","shape":[1],"data_offsets":[0,1]}}', 1), 'the dtype "F42"'),
  refusedByBoth('a dtype in small letters', file('{"t":{"dtype":"u8","shape":[1],"data_offsets":[0,1]}}', 1), 'the dtype "u8"'),
  refusedByBoth('a dtype out of the prototype', file('{"t":{"dtype":"toString","shape":[1],"data_offsets":[0,1]}}', 1), 'the dtype "toString"'),
  refusedByBoth('a number for the dtype', file('{"t":{"dtype":1,"shape":[1],"data_offsets":[0,1]}}', 1), 'expected a string'),
  refusedByBoth('a string for the shape', file(`{"t":${u8('"shape":"1","data_offsets":[0,1]')}}`, 1), 'expected ['),
  refusedByBoth('an object for the shape', file(`{"t":${u8('"shape":{"length":1},"data_offsets":[0,1]')}}`, 1), 'expected ['),
  refusedByBoth('a string for a dimension', file(`{"t":${u8('"shape":["1"],"data_offsets":[0,1]')}}`, 1), 'expected a value'),
  refusedByBoth('a negative dimension', file(`{"t":${u8('"shape":[-1],"data_offsets":[0,1]')}}`, 1), 'found -1'),
  refusedByBoth('two negative dimensions', file(`{"t":${u8('"shape":[-1,-1],"data_offsets":[0,1]')}}`, 1), 'found -1'),
  refusedByBoth('a dimension of -0', file(`{"t":${u8('"shape":[-0],"data_offsets":[0,0]')}}`), 'found -0'),
  refusedByBoth('a fractional dimension', file(`{"t":${u8('"shape":[1.5],"data_offsets":[0,1]')}}`, 1), 'found 1.5'),
  refusedByBoth('a dimension of 1.0', file(`{"t":${u8('"shape":[1.0],"data_offsets":[0,1]')}}`, 1), 'found 1.0'),
  refusedByBoth('a dimension of 1e0', file(`{"t":${u8('"shape":[1e0],"data_offsets":[0,1]')}}`, 1), 'found 1e0'),
  refusedByBoth('a dimension of 01', file(`{"t":${u8('"shape":[01],"data_offsets":[0,1]')}}`, 1), 'expected a value'),
  refusedByBoth('a dimension of 2^64', file(`{"t":${u8('"shape":[18446744073709551616],"data_offsets":[0,1]')}}`, 1), 'more than 2^53'),
  refusedByBoth('dimensions that overflow to the right size', file(`{"t":${u8('"shape":[4294967296,4294967296],"data_offsets":[0,0]')}}`), 'too large'),
  refusedByBoth('a 0 that hides an overflow', file(`{"t":${u8('"shape":[4294967296,4294967296,0],"data_offsets":[0,0]')}}`), 'too large'),
  refusedByBoth('half a byte', file('{"t":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}', 1), 'takes 0.5 bytes'),
  refusedByBoth('a span shorter than the shape', file(`{"t":${u8('"shape":[2],"data_offsets":[0,1]')}}`, 1), 'takes 2 bytes; its data_offsets span 1'),
  refusedByBoth('a span longer than the shape', file(`{"t":${u8('"shape":[1],"data_offsets":[0,2]')}}`, 2), 'takes 1 bytes; its data_offsets span 2'),
  refusedByBoth('a span of F32 counted in elements', file('{"t":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}}', 4), 'takes 16 bytes'),
  refusedByBoth('offsets past the end', file(`{"t":${u8('"shape":[2],"data_offsets":[0,2]')}}`, 1), 'the data ends at 1'),
  refusedByBoth('offsets of 2^53 and more', file(`{"t":${u8('"shape":[1],"data_offsets":[9007199254740992,9007199254740993]')}}`, 1), 'more than 2^53'),
  refusedByBoth('offsets the wrong way round', file(`{"t":${u8('"shape":[1],"data_offsets":[1,0]')}}`, 1), 'begin at 1, after their end'),
  refusedByBoth('a negative offset', file(`{"t":${u8('"shape":[1],"data_offsets":[-1,0]')}}`, 1), 'found -1'),
  refusedByBoth('one offset', file(`{"t":${u8('"shape":[1],"data_offsets":[0]')}}`, 1), 'fewer than two'),
  refusedByBoth('three offsets', file(`{"t":${u8('"shape":[1],"data_offsets":[0,1,1]')}}`, 1), 'more than two numbers'),
  refusedByBoth('a key twice inside an entry', file(`{"t":${u8('"dtype":"I8","shape":[1],"data_offsets":[0,1]')}}`, 1), '"dtype" is there twice'),

  refusedByBoth('two tensors on the same bytes', file(`{"a":${one},"b":${one}}`, 1), 'overlaps tensor "a"'),
  refusedByBoth('overlap by one byte', file(`{"a":${u8('"shape":[2],"data_offsets":[0,2]')},"b":${u8('"shape":[2],"data_offsets":[1,3]')}}`, 3), 'overlaps tensor "a"'),
  refusedByBoth('one tensor inside another', file(`{"a":${u8('"shape":[4],"data_offsets":[0,4]')},"b":${u8('"shape":[1],"data_offsets":[2,3]')}}`, 4), 'overlaps tensor "a"'),
  refusedByBoth('an empty tensor inside another', file(`{"a":${u8('"shape":[4],"data_offsets":[0,4]')},"b":${u8('"shape":[0],"data_offsets":[2,2]')}}`, 4), 'overlaps tensor "a"'),
  refusedByBoth('a hole at the start', file(`{"t":${u8('"shape":[1],"data_offsets":[1,2]')}}`, 2), '1 bytes before its data'),
  refusedByBoth('a hole between tensors', file(`{"a":${one},"b":${u8('"shape":[1],"data_offsets":[2,3]')}}`, 3), '1 bytes before its data'),
  refusedByBoth('bytes after the last tensor', file(`{"t":${one}}`, 2), '1 bytes after tensor "t"'),
  refusedByBoth('bytes and no tensor', file('{}', 1), '1 bytes after the header'),

  refusedByBoth('metadata that is not an object', file('{"__metadata__":[]}'), 'expected {'),
  refusedByBoth('a number in metadata', file('{"__metadata__":{"a":1}}'), 'expected a string'),
  refusedByBoth('an object in metadata', file('{"__metadata__":{"a":{}}}'), 'expected a string'),
  refusedByBoth('metadata twice', file('{"__metadata__":{},"__metadata__":{}}'), 'is there twice'),
  refusedByBoth('a tensor named __metadata__', file(`{"__metadata__":${one}}`, 1), 'expected a string'),

  refusedByLethe('a tensor name twice', file(`{"t":${one},"t":${one}}`, 1), '"t" is there twice'),
  refusedByLethe('a tensor name twice, once escaped', file(`{"t":${one},"\\u0074":${one}}`, 1), '"t" is there twice'),
  refusedByLethe('a key twice in metadata', file('{"__metadata__":{"a":"1","a":"2"}}'), '"a" is there twice'),
  refusedByLethe('a tensor named __proto__', file(`{"__proto__":${one}}`, 1), 'a key is named __proto__'),
  refusedByLethe('__proto__ in an unknown key', file(`{"t":${u8('"shape":[0],"data_offsets":[0,0],"x":{"__proto__":1}')}}`), 'a key is named __proto__'),
  refusedByLethe('a name of 1,001 characters', file(`{"${'n'.repeat(1001)}":${one}}`, 1), 'its name has 1001 characters'),
  refusedByLethe('65 dimensions', file(`{"t":${u8(`"shape":[${Array(65).fill(1).join(',')}],"data_offsets":[0,1]`)}}`, 1), 'more than 64 dimensions'),
  refusedByLethe('a dimension of 2^53 beside a 0', file(`{"t":${u8('"shape":[0,9007199254740992],"data_offsets":[0,0]')}}`), 'more than 2^53'),
  refusedByLethe('an array for an entry', file('{"t":["U8",[1],[0,1]]}', 1), 'expected {'),
  refusedByLethe('an object for the dtype', file('{"t":{"dtype":{"U8":null},"shape":[1],"data_offsets":[0,1]}}', 1), 'expected a string'),

  readByBoth('no tensors', file('{}')),
  readByBoth('white space around the header', file(` \n\t\r{"t":${one}}   `, 1)),
  readByBoth('metadata of null', file('{"__metadata__":null}')),
  readByBoth('metadata and no tensors', file('{"__metadata__":{"format":"pt"}}')),
  readByBoth('a scalar', file(`{"t":${u8('"shape":[],"data_offsets":[0,1]')}}`, 1)),
  readByBoth('an empty tensor', file(`{"t":${u8('"shape":[0,5],"data_offsets":[0,0]')}}`)),
  readByBoth('empty tensors between others', file(`{"a":${one},"e":${u8('"shape":[0],"data_offsets":[1,1]')},"b":${u8('"shape":[1],"data_offsets":[1,2]')}}`, 2)),
  readByBoth('tensors out of order', file(`{"b":${u8('"shape":[1],"data_offsets":[1,2]')},"a":${one}}`, 2)),
  readByBoth('unaligned data', file(`{"a":${one},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}`, 5)),
  readByBoth('two elements of 4 bits', file('{"t":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}', 1)),
  readByBoth('an unknown key in an entry', file(`{"t":${u8('"shape":[1],"data_offsets":[0,1],"x":{"y":[true,null,-1.5e3,"z"]}')}}`, 1)),
  readByBoth('the deepest nesting read', file(`{"t":${nested(125)}}`)),
  readByBoth('an empty name', file(`{"":${one}}`, 1)),
  readByBoth('names with escapes and in any script', file(`{"a\\"\\\\\\u00e9":${one},"重み\u{1f600}":${u8('"shape":[1],"data_offsets":[1,2]')}}`, 2)),
  readByBoth('names out of the prototype', file(`{"constructor":${one}}`, 1)),
];
