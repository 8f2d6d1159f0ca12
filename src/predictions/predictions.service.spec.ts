import { QuantileDistribution } from '../core/distribution';
import type { PredictionMode } from './prediction-mode.service';
import type { PredictionQuery, PredictionSource, SourceAnswer } from './prediction-source';
import { PredictionsService } from './predictions.service';
import { DefaultSource } from './sources/default.source';
import { MetadataSource } from './sources/metadata.source';

const source = (
  method: PredictionSource['method'],
  answer: SourceAnswer | Promise<SourceAnswer>,
): PredictionSource => ({ method, predict: () => answer });

const point = (ms: number): SourceAnswer => QuantileDistribution.point(ms);

describe('PredictionsService', () => {
  const modes: { current: PredictionMode } = { current: 'default' };
  const lookup: PredictionSource = {
    method: 'lookup',
    predict: ({ model }) => (model === 'llama' ? point(20) : undefined),
  };
  const expected: PredictionQuery[] = [];
  const learned = {
    expect: (_: unknown, query: PredictionQuery): void => void expected.push(query),
  };
  const serviceWith = (...known: PredictionSource[]): PredictionsService =>
    new PredictionsService(
      {
        own: new MetadataSource(),
        known: { default: [...known, lookup], lookup_table: [lookup] },
        fallback: new DefaultSource(1_000),
      },
      modes,
      learned,
    );
  const ask = async (service: PredictionsService, metadata = {}, model = 'llama') => {
    const { method, serviceTime } = await service.predict({ model, metadata });
    return { method, mean: serviceTime.mean, deviation: serviceTime.deviation };
  };

  beforeEach(() => {
    modes.current = 'default';
    expected.length = 0;
  });

  it('takes what the client predicts first', async () => {
    const service = serviceWith(source('remote', Promise.resolve(point(5))));
    const prediction = await ask(service, { predicted_ms: 42 });
    expect(prediction).toEqual({ method: 'metadata', mean: 42, deviation: 0 });
  });

  it('takes the client’s quantiles before its expectation', async () => {
    const metadata = { quantiles: [0.5], quantile_predictions: [7], predicted_ms: 42 };
    expect(await ask(serviceWith(), metadata)).toMatchObject({ mean: 7 });
  });

  it('asks the next source when the client’s prediction cannot be read', async () => {
    expect(await ask(serviceWith(), { predicted_ms: 'soon' })).toMatchObject({ method: 'lookup' });
    const wrong = { quantiles: [2], quantile_predictions: [1] };
    expect(await ask(serviceWith(), wrong, 'gpt')).toMatchObject({ method: 'default' });
  });

  it('believes the predictor before the table, and the table when it knows nothing', async () => {
    const knows = serviceWith(source('remote', Promise.resolve(point(5))));
    expect(await ask(knows)).toMatchObject({ method: 'remote', mean: 5 });
    const ignorant = serviceWith(source('remote', Promise.resolve(undefined)));
    expect(await ask(ignorant)).toMatchObject({ method: 'lookup', mean: 20 });
    expect(await ask(ignorant, {}, 'gpt')).toMatchObject({ method: 'default' });
  });

  it('asks nobody but the table in mode lookup_table', async () => {
    modes.current = 'lookup_table';
    const service = serviceWith(source('remote', Promise.resolve(point(5))));
    expect(await ask(service)).toMatchObject({ method: 'lookup' });
    expect(await ask(service, {}, 'gpt')).toMatchObject({ method: 'default' });
    expect(await ask(service, { predicted_ms: 42 })).toMatchObject({ method: 'metadata' });
  });

  it('answers at once when nobody else has to be asked', () => {
    expect(serviceWith().predict({ model: 'llama', metadata: {} })).toMatchObject({
      method: 'lookup',
    });
  });

  it('spreads the default widely around the configured time', async () => {
    const { method, mean, deviation } = await ask(serviceWith(), {}, 'unknown');
    expect(method).toBe('default');
    expect(mean).toBeGreaterThan(900);
    expect(mean).toBeLessThan(1500);
    expect(deviation).toBeGreaterThan(500);
  });

  it('calls known neither what the client says nor the default', async () => {
    const service = serviceWith();
    const metadata = { predicted_ms: 42 };
    expect(await service.known({ model: 'llama', metadata })).toMatchObject({ method: 'lookup' });
    expect(await service.known({ model: 'gpt', metadata })).toBeUndefined();
  });

  it('lets what was learned be judged, whoever is believed; a preview counts for nothing', async () => {
    const service = serviceWith(source('remote', Promise.resolve(point(5))));
    await service.preview({ model: 'llama', metadata: {} });
    expect([expected.length, service.countOf('llama')]).toEqual([0, 0]);
    await ask(service, { predicted_ms: 42 });
    await ask(service);
    expect(expected.map(({ metadata }) => metadata)).toEqual([{ predicted_ms: 42 }, {}]);
  });

  it('counts its predictions, model by model', async () => {
    const service = serviceWith();
    await ask(service);
    await service.known({ model: 'llama', metadata: {} });
    await service.known({ model: 'gpt', metadata: {} });
    expect([service.countOf('llama'), service.countOf('gpt')]).toEqual([2, 0]);
    for (let i = 0; i < 20_000; i += 1) await ask(service, {}, `m${i}`);
    expect([service.countOf('m1'), service.countOf('m19999')]).toEqual([1, 0]);
  });
});
