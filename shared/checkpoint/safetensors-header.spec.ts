import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { craftedHeaders } from './crafted-headers.spec-support.ts';
import { lengthField, rawSafetensors, refusal, safetensorsFile } from './fixture.spec-support.ts';
import { parseSafetensorsHeader, tensorLimit } from './safetensors-header.ts';
import { bitsOf, type TensorDtype } from './tensor-dtype.ts';

const parse = (bytes: Uint8Array) => parseSafetensorsHeader(bytes, bytes.length, 'w.safetensors');

describe('parseSafetensorsHeader', () => {
  for (const { title, file, reference, refusal: expected } of craftedHeaders) {
    const verb = expected === undefined ? 'reads' : 'refuses';
    it(`${verb}: ${title} (the reference ${reference})`, async () => {
      const said = await refusal(() => parse(file));
      if (expected === undefined) expect(said).toBe('not refused');
      else {
        expect(said).toMatch(/^safetensors-invalid: cannot read safetensors file \(w\.safetensors/);
        expect(said).toContain(expected);
      }
    });
  }

  it('knows every dtype of the format', () => {
    const dtypes = Object.keys(bitsOf) as TensorDtype[];
    const file = parse(safetensorsFile(dtypes.map((dtype) => ({ name: dtype, dtype, shape: [4] }))));
    expect([...file.tensors.values()].map(({ dtype }) => dtype)).toEqual(dtypes);
  });

  it('gives offsets from the start of the file', () => {
    const bytes = safetensorsFile(
      [
        { name: 'a', dtype: 'F16', shape: [2, 3] },
        { name: 'b', dtype: 'F32', shape: [] },
      ],
      { format: 'pt' },
    );
    const file = parse(bytes);
    const data = bytes.length - 16;
    expect(file.tensors.get('a')).toEqual({ name: 'a', dtype: 'F16', shape: [2, 3], begin: data, end: data + 12 });
    expect(file.tensors.get('b')).toEqual({ name: 'b', dtype: 'F32', shape: [], begin: data + 12, end: data + 16 });
    expect(file).toMatchObject({ path: 'w.safetensors', size: bytes.length, metadata: new Map([['format', 'pt']]) });
  });

  it('needs no more of the file than its header', () => {
    const bytes = safetensorsFile([{ name: 't', dtype: 'F32', shape: [1000] }]);
    const file = parseSafetensorsHeader(bytes.subarray(0, bytes.length - 4000), bytes.length, 'w.safetensors');
    expect(file.tensors.get('t')?.end).toBe(bytes.length);
  });

  it('refuses the first of too many tensors', async () => {
    const entries = Array.from(
      { length: tensorLimit + 1 },
      (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`,
    );
    expect(await refusal(() => parse(rawSafetensors(`{${entries.join()}}`)))).toContain('more than 200000 tensors');
  });

  it('names the file and the tensor, on one line', async () => {
    const header = '{"down\\nblocks.0":{"dtype":"F99","shape":[],"data_offsets":[0,0]}}';
    expect(await refusal(() => parse(rawSafetensors(header)))).toContain(
      '(w.safetensors, tensor "down\\nblocks.0"): the dtype "F99" is not one of the format',
    );
  });

  const names = fc
    .string({ unit: 'grapheme', maxLength: 12 })
    .filter((name) => name !== '__metadata__' && name !== '__proto__');
  const dtypes = fc.constantFrom<TensorDtype>('F64', 'F32', 'F16', 'BF16', 'I64', 'U8', 'BOOL', 'F8_E4M3');
  const shapes = fc.array(fc.nat(4), { maxLength: 4 });
  const tensors = fc.uniqueArray(fc.record({ name: names, dtype: dtypes, shape: shapes }), {
    selector: ({ name }) => name,
    maxLength: 6,
  });

  it('reads what was written, for any names, dtypes and shapes', () => {
    fc.assert(
      fc.property(tensors, (written) => {
        const file = parse(safetensorsFile(written));
        const read = [...file.tensors.values()].map(({ name, dtype, shape }) => ({ name, dtype, shape }));
        // Objects list keys that look like indices first, so JSON.stringify may have reordered them.
        const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
        expect(read.sort(byName)).toEqual([...written].sort(byName));
      }),
    );
  });

  it('refuses any bytes or reads them, and throws nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
        await refusal(() => parse(bytes));
        await refusal(() => parse(Buffer.concat([lengthField(BigInt(bytes.length)), bytes])));
      }),
    );
  });
});
