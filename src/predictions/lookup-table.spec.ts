import { QuantileDistribution } from '../core/distribution';
import type { LookupField, LookupRecord } from './lookup-file';
import { LookupTable } from './lookup-table';

type Info = Readonly<Partial<Record<LookupField, string>>>;

const recordOf = (info: Info, median: number, models = ['llama']): LookupRecord => ({
  models,
  info: new Map(Object.entries(info) as [LookupField, string][]),
  distribution: QuantileDistribution.point(median),
});

describe('LookupTable', () => {
  const table = new LookupTable([
    recordOf({ hardware: 'A100' }, 20),
    recordOf({ hardware: 'A100', software_name: 'vllm', software_version: '0.2.0' }, 2),
    recordOf({ hardware: 'H100' }, 5),
    recordOf({ model_name: 'LLaMA 7B' }, 7, ['llama-7b', 'llama-small']),
  ]);
  const find = (metadata: object, model = 'llama'): number | undefined =>
    table.find({ model, metadata: metadata as Record<string, unknown> })?.quantile(0.5);

  it('prefers the most specific record of those that agree', () => {
    expect(find({ hardware: 'A100' })).toBe(2);
    expect(find({ hardware: 'H100' })).toBe(5);
    expect(find({ software_version: '0.2.0' })).toBe(2);
    expect(find({})).toBe(2);
  });

  it('knows a model by all its names', () => {
    expect(find({}, 'llama-7b')).toBe(7);
    expect(find({ model_name: 'LLaMA 7B' }, 'llama-small')).toBe(7);
    expect(find({}, 'gpt')).toBeUndefined();
  });

  it('wants everything that the task carries to be equal', () => {
    expect(find({ hardware: 'TPU' })).toBeUndefined();
    expect(find({ hardware: 'A100', software_name: 'pytorch' })).toBeUndefined();
    expect(find({ hardware: 'H100', software_name: 'vllm' })).toBeUndefined();
    expect(find({ software_version: 0.2 })).toBeUndefined();
  });

  it('does not ask for what the task leaves open', () => {
    expect(find({ hardware: null, input_tokens: 7 })).toBe(2);
  });

  it('never looks at inherited names', () => {
    expect(find({}, 'constructor')).toBeUndefined();
    expect(find({}, '__proto__')).toBeUndefined();
    expect(find(Object.create({ hardware: 'TPU' }) as object)).toBe(2);
  });

  it('merges equally specific records into one distribution', () => {
    const tied = new LookupTable([
      recordOf({ hardware: 'A100' }, 100),
      recordOf({ hardware: 'H100' }, 300),
    ]);
    const merged = tied.find({ model: 'llama', metadata: {} });
    expect(merged?.mean).toBeCloseTo(200, -1);
    expect(merged?.quantile(0.25)).toBe(100);
    expect(merged?.quantile(0.9)).toBe(300);
    expect(tied.find({ model: 'llama', metadata: {} })).toBe(merged);
  });

  it('answers alike however many questions came before', () => {
    for (let i = 0; i < 3_000; i += 1) find({ hardware: `none ${i}` });
    expect(find({ hardware: 'H100' })).toBe(5);
  });

  it('tells which models it is about', () => {
    expect(table.models).toEqual([
      {
        modelType: 'llama',
        modelName: null,
        hardwareTypes: ['A100', 'H100'],
        softwareVersions: ['vllm-0.2.0'],
      },
      { modelType: 'llama-7b', modelName: 'LLaMA 7B', hardwareTypes: [], softwareVersions: [] },
      { modelType: 'llama-small', modelName: 'LLaMA 7B', hardwareTypes: [], softwareVersions: [] },
    ]);
  });
});
