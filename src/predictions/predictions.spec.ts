import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LookupFileError, readLookupFile } from './lookup-file';
import { PredictionsService } from './predictions.service';
import { readDuration, readQuantiles } from './quantile-input';
import { DefaultSource } from './sources/default.source';
import { LookupSource } from './sources/lookup.source';
import { MetadataSource } from './sources/metadata.source';

const folder = mkdtempSync(join(tmpdir(), 'foresail-lookup-'));
let files = 0;

function lookupFile(content: unknown): string {
  const file = join(folder, `${files++}.json`);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

function record(info: Record<string, string>, predictions: number[]): Record<string, unknown> {
  return {
    status: 'success',
    model_type: 'llama',
    model_info: info,
    quantiles: [0.1, 0.5, 0.9],
    quantile_predictions: predictions,
  };
}

describe('reading quantiles', () => {
  it.each([
    ['levels that fall', [0.5, 0.1], [1, 2]],
    ['equal levels', [0.5, 0.5], [1, 2]],
    ['a level above 1', [0.5, 1.5], [1, 2]],
    ['a negative value', [0.5], [-1]],
    ['values that fall', [0.1, 0.9], [2, 1]],
    ['different lengths', [0.1, 0.9], [1]],
    ['no levels', [], []],
    ['text', ['0.5'], [1]],
    ['infinity', [0.5], [Infinity]],
    ['no list', 0.5, 1],
  ])('refuses %s', (_, levels, values) => {
    expect(readQuantiles(levels, values)).toEqual({ fault: expect.any(String) });
  });

  it('shares one array of levels between distributions', () => {
    const one = readQuantiles([0.2, 0.8], [1, 2]);
    const other = readQuantiles([0.2, 0.8], [3, 4]);
    if (!('distribution' in one) || !('distribution' in other)) throw new Error('refused');
    expect(one.distribution.quantiles.levels).toBe(other.distribution.quantiles.levels);
  });

  it.each([-1, NaN, Infinity, '5', null, undefined])('sees no duration in %p', (value) => {
    expect(readDuration(value)).toBeUndefined();
  });
});

describe('where a prediction comes from', () => {
  const lookup = new LookupSource(
    readLookupFile(
      lookupFile([
        record({ hardware: 'A100' }, [100, 200, 300]),
        record({ hardware: 'A100', software_name: 'vllm' }, [10, 20, 30]),
        record({ hardware: 'H100' }, [1, 2, 3]),
        { status: 'error', model_type: 'llama' },
      ]),
    ),
  );
  const service = new PredictionsService([new MetadataSource(), lookup, new DefaultSource(1000)]);
  const predict = (metadata: Record<string, unknown>, model = 'llama') =>
    service.predict({ model, metadata });

  it('takes what the client predicts first', () => {
    const prediction = predict({ predicted_ms: 42, hardware: 'A100' });
    expect(prediction.method).toBe('metadata');
    expect(prediction.serviceTime.mean).toBe(42);
    expect(prediction.serviceTime.deviation).toBe(0);
  });

  it('takes the client’s quantiles before its expectation', () => {
    const metadata = { quantiles: [0.5], quantile_predictions: [7], predicted_ms: 42 };
    expect(predict(metadata).serviceTime.mean).toBe(7);
  });

  it('asks the next source when the client’s prediction cannot be read', () => {
    expect(predict({ predicted_ms: 'soon', hardware: 'H100' }).method).toBe('lookup');
    expect(predict({ quantiles: [2], quantile_predictions: [1] }, 'gpt').method).toBe('default');
  });

  it('never looks at inherited names', () => {
    expect(predict({ hardware: 'A100', model_name: 'toString' }, 'constructor').method).toBe(
      'default',
    );
  });

  it('prefers the most specific record, and only those that agree', () => {
    expect(predict({ hardware: 'A100' }).serviceTime.quantile(0.5)).toBe(20);
    expect(predict({ hardware: 'H100' }).serviceTime.quantile(0.5)).toBe(2);
    expect(predict({ hardware: 'TPU' }).method).toBe('default');
  });

  it('merges equally specific records into one distribution', () => {
    const tied = new LookupSource(
      readLookupFile(
        lookupFile([
          record({ hardware: 'A100' }, [100, 100, 100]),
          record({ hardware: 'H100' }, [300, 300, 300]),
        ]),
      ),
    );
    const merged = tied.predict({ model: 'llama', metadata: {} });
    expect(merged?.mean).toBeCloseTo(200, -1);
    expect(merged?.quantile(0.25)).toBe(100);
    expect(merged?.quantile(0.9)).toBe(300);
  });

  it('spreads the default widely around the configured time', () => {
    const { serviceTime, method } = predict({}, 'unknown');
    expect(method).toBe('default');
    expect(serviceTime.mean).toBeGreaterThan(900);
    expect(serviceTime.mean).toBeLessThan(1500);
    expect(serviceTime.deviation).toBeGreaterThan(500);
  });
});

describe('a wrong lookup file', () => {
  it.each([
    ['not JSON', '[{', /is not JSON/],
    ['no list', {}, /must hold a JSON array/],
    ['no object', [1], /record 0: must be an object/],
    ['no model', [{ status: 'success' }], /record 0: model_type is missing/],
    [
      'wrong hardware',
      [record({}, [1, 2, 3]), { ...record({}, []), model_info: { hardware: 1 } }],
      /record 1: model_info.hardware/,
    ],
    ['wrong quantiles', [record({}, [3, 2, 1])], /record 0: quantile_predictions/],
  ])('names what is wrong: %s', (_, content, message) => {
    const file = lookupFile(content);
    expect(() => readLookupFile(file)).toThrow(LookupFileError);
    expect(() => readLookupFile(file)).toThrow(message);
    expect(() => readLookupFile(file)).toThrow(file);
  });

  it('says that a file is not there', () => {
    expect(() => readLookupFile(join(folder, 'none.json'))).toThrow(/cannot be read/);
  });
});
