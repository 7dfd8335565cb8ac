import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDirectory, refusal } from './fixture.spec-support.ts';
import { jsonFileLimit, readJsonFile } from './json-file.ts';

describe('readJsonFile', () => {
  let directory: string;
  let path: string;
  beforeAll(async () => {
    directory = await newDirectory();
    path = join(directory, 'config.json');
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('reads an object', async () => {
    await writeFile(path, '{\n  "attention_head_dim": [5, 10],\n  "act_fn": "silu",\n  "dropout": 0.0\n}\n');
    expect(await readJsonFile(path)).toEqual({ attention_head_dim: [5, 10], act_fn: 'silu', dropout: 0 });
  });

  it("reads the constants of Python's json module, as diffusers saves DPM-Solver's lambda_min_clipped", async () => {
    await writeFile(path, '{"lambda_min_clipped": -Infinity, "a": [NaN, Infinity, -1]}');
    expect(await readJsonFile(path)).toEqual({ lambda_min_clipped: -Infinity, a: [NaN, Infinity, -1] });
    await writeFile(path, '{"a": -Infinit}');
    expect(await refusal(() => readJsonFile(path))).toContain('expected a value');
  });

  it('names file, line and column of a mistake', async () => {
    await writeFile(path, '{\n  "act_fn": "silu"\n  "dropout": 0.0\n}\n');
    expect(await refusal(() => readJsonFile(path))).toContain(
      `config-invalid: cannot read JSON file (${path}:3:3): expected , or }, found "\\""`,
    );
  });

  it('refuses what is not an object', async () => {
    await writeFile(path, '[]');
    expect(await refusal(() => readJsonFile(path))).toContain('expected {, found "["');
  });

  it('refuses what is not UTF-8', async () => {
    await writeFile(path, Buffer.from('{"caf\xe9":1}', 'latin1'));
    expect(await refusal(() => readJsonFile(path))).toContain('is not UTF-8');
  });

  it('refuses a file over the limit before reading it', async () => {
    const large = join(directory, 'large.json');
    await writeFile(large, '{}');
    await truncate(large, jsonFileLimit + 1);
    expect(await refusal(() => readJsonFile(large))).toContain(`at most ${jsonFileLimit} are read`);
  });

  it('says what the system says of a file that is not there', async () => {
    expect(await refusal(() => readJsonFile(join(directory, 'none.json')))).toMatch(/^config-invalid: .*ENOENT/);
  });
});
