import { describe, expect, it } from 'vitest';
import { expectDamageRefused } from '../checkpoint/damage.spec-support.ts';
import { encodeSafetensors } from '../checkpoint/write-safetensors.ts';
import { canonicalJson } from '../unit/canonical-json.ts';
import { decodeCohortSum, encodeCohortSum } from './cohort-sum-file.ts';

const layer = { site: 'ffn2', name: 'a.ff.net.2', neurons: 2, rows: 8, steps: 1, counts: [3] };

interface Crafted {
  readonly layer?: object;
  readonly values?: readonly number[];
  readonly format?: string;
  readonly sum?: string;
  readonly tensor?: string;
}

/** A file that differs from a good one in what is given. */
function crafted({
  layer: other = {},
  values = [1, 2],
  format = 'lethe-cohort-sum-1',
  sum,
  tensor,
}: Crafted): Uint8Array {
  const header = sum ?? canonicalJson({ cohort: 'c', layers: [{ ...layer, ...other }] });
  const data = Float64Array.from(values);
  return encodeSafetensors([{ name: tensor ?? 'ffn2 a.ff.net.2', shape: [1, data.length], data }], {
    format,
    sum: header,
  });
}

describe('decodeCohortSum', () => {
  it('reads the file the others differ from', () => {
    expect(decodeCohortSum(crafted({})).layers[0]?.steps[0]?.count).toBe(3);
  });

  it.each<[string, Crafted, RegExp]>([
    ['another format', { format: 'lethe-cohort-sum-2' }, /lethe-cohort-sum-1 is read/],
    ['a header that is not JSON', { sum: '{' }, /header/],
    ['a header of another shape', { sum: '{}' }, /header/],
    ['a site that is none', { layer: { site: 'ffn3' } }, /layers\.0\.site/],
    ['a billion steps, before memory is taken', { layer: { steps: 1e9 } }, /there is no tensor/],
    ['a billion neurons', { layer: { neurons: 1e9 } }, /there is no tensor/],
    ['rows that cannot be summed', { layer: { rows: 2 ** 41 } }, /2\^40/],
    ['a tensor of another name', { tensor: 'ffn2 b.ff.net.2' }, /there is no tensor/],
    ['counts of other steps', { layer: { counts: [1, 2] } }, /2 counts for 1 steps/],
    ['a negative count', { layer: { counts: [-1] } }, /counts/],
    ['NaN', { values: [1, NaN] }, /neuron 1.*cannot give NaN/],
    ['infinity', { values: [Infinity, 1] }, /neuron 0/],
    ['a negative total', { values: [-1, 1] }, /neuron 0/],
    ['negative zero', { values: [-0, 1] }, /neuron 0/],
    ['more than the rows allow', { values: [1, 8.01] }, /8 rows cannot give 8\.01/],
    ['a total between the multiples of 2^-g', { values: [1, 2 ** -50] }, /neuron 1/],
    ['a header with white space', { sum: `${canonicalJson({ cohort: 'c', layers: [layer] })} ` }, /canonical/],
    ['an unknown key', { layer: { more: 1 } }, /canonical/],
  ])('refuses %s', (_, change, reason) => {
    expect(() => decodeCohortSum(crafted(change))).toThrow(reason);
  });

  it('refuses every damaged byte with a code, or reads what re-encodes to it', () => {
    expectDamageRefused(crafted({}), (bytes) => encodeCohortSum(decodeCohortSum(bytes)));
  });
});
