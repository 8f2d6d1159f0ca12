import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lookupRecord as record } from '../../test/support/lookup-records';
import { LookupFileError, readLookupFile, readLookupFileLater } from './lookup-file';

const folder = mkdtempSync(join(tmpdir(), 'foresail-lookup-'));
let files = 0;

afterAll(() => rmSync(folder, { recursive: true }));

function lookupFile(content: unknown): string {
  const file = join(folder, `${files++}.json`);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

describe('readLookupFile', () => {
  it('reads what succeeded, and skips the rest without looking', () => {
    const named = { ...record({ type: 'llama-7b', name: 'LLaMA 7B', hardware: 'A100' }) };
    const file = lookupFile([
      { status: 'error' },
      named,
      { ...named, model_type: undefined },
      { ...named, status: undefined, quantiles: 'none' },
    ]);
    const records = readLookupFile(file);
    expect(records.map(({ models }) => models)).toEqual([['llama', 'llama-7b'], ['llama-7b']]);
    expect([...(records[0]?.info ?? [])]).toEqual([
      ['model_name', 'LLaMA 7B'],
      ['hardware', 'A100'],
    ]);
  });

  it('reads a file that begins with a byte order mark', () => {
    expect(readLookupFile(lookupFile(`\uFEFF${JSON.stringify([record({})])}`))).toHaveLength(1);
  });

  it.each([
    ['not JSON', '[{', /is not JSON/],
    ['no list', {}, /must hold a JSON array/],
    ['no object', [1], /record 0: must be an object/],
    ['no model', [{ status: 'success' }], /record 0: model_type is missing/],
    ['a model that is no text', [{ ...record({}), model_type: 5 }], /record 0: model_type must be/],
    ['a model without a name', [{ ...record({}), model_type: '' }], /record 0: model_type must be/],
    ['a type that is no text', [record({ type: 5 })], /record 0: model_info\.type must be/],
    ['no information', [{ ...record({}), model_info: [] }], /record 0: model_info must be/],
    [
      'wrong hardware',
      [record({}), record({ hardware: 1 })],
      /record 1: model_info\.hardware must/,
    ],
    ['a wrong name', [record({ name: {} })], /record 0: model_info\.name must be/],
    ['wrong quantiles', [record({}, [3, 2, 1])], /record 0: quantile_predictions/],
    ['wrong levels', [{ ...record({}), quantiles: [1, 2, 3] }], /record 0: quantiles/],
  ])('names what is wrong: %s', async (_, content, message) => {
    const file = lookupFile(content);
    expect(() => readLookupFile(file)).toThrow(LookupFileError);
    expect(() => readLookupFile(file)).toThrow(message);
    expect(() => readLookupFile(file)).toThrow(file);
    await expect(readLookupFileLater(file)).rejects.toThrow(message);
  });

  it('says that a file is not there', async () => {
    expect(() => readLookupFile(join(folder, 'none.json'))).toThrow(/cannot be read/);
    await expect(readLookupFileLater(folder)).rejects.toThrow(LookupFileError);
  });
});
