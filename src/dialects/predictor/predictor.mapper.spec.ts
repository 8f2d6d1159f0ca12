import { QuantileDistribution, type Distribution } from '../../core/distribution';
import { modelList, predicted, predictorHealth, toQuery } from './predictor.mapper';

describe('the predictor’s words', () => {
  const query = toQuery({ model_type: 'llama', metadata: { hardware: 'A100' } });

  it('for a question, and the way that it came', () => {
    expect(query).toEqual({ model: 'llama', metadata: { hardware: 'A100' }, via: '' });
    expect(toQuery({ model_type: 'm', metadata: {} }, '1.1 a').via).toBe('1.1 a');
  });

  it('for a prediction', () => {
    const serviceTime = new QuantileDistribution([0.1, 0.9], [100, 200]);
    const confidence = (method: string): number => (method === 'lookup' ? 0.8 : 0.5);
    expect(predicted(query, { method: 'lookup', serviceTime }, confidence)).toEqual({
      status: 'success',
      message: null,
      model_type: 'llama',
      quantiles: [0.1, 0.9],
      quantile_predictions: [100, 200],
      prediction_method: 'lookup',
      confidence: 0.8,
    });
  });

  it('for a prediction that is not known by quantiles', () => {
    const serviceTime = { quantile: (level: number) => 100 * level } as Distribution;
    expect(predicted(query, { method: 'learned', serviceTime }, () => 0.5)).toMatchObject({
      quantiles: [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99],
      quantile_predictions: [10, 25, 50, 75, 90, 95, 99],
    });
  });

  it('for nothing', () => {
    expect(predicted(query, undefined, () => 1)).toEqual({
      status: 'error',
      message: 'nothing is known of model "llama" with this metadata',
    });
  });

  it('for its health', () => {
    const loadedAt = new Date('2026-11-21T10:00:00.000Z');
    const state = { totalModels: 2, mode: 'default', remote: 'asked' } as const;
    expect(predictorHealth({ ...state, lookup: null })).toMatchObject({
      status: 'healthy',
      service: 'predictor',
      total_models: 2,
      remote: 'asked',
      lookup: null,
    });
    const lookup = { records: 3, loadedAt, fault: 'record 1: …' };
    expect(predictorHealth({ ...state, lookup }).lookup).toEqual({
      records: 3,
      loaded_at: '2026-11-21T10:00:00.000Z',
      fault: 'record 1: …',
    });
  });

  it('for its models, named by their type where they have no name', () => {
    const known = { hardwareTypes: ['A100'], softwareVersions: ['vllm-0.2.0'] };
    const models = [
      { modelType: 'a', modelName: 'A', ...known },
      { modelType: 'b', modelName: null, ...known },
    ];
    const count = (type: string): number => (type === 'a' ? 7 : 0);
    expect(modelList(models, count).models).toMatchObject([
      { model_type: 'a', model_name: 'A', total_predictions: 7, hardware_types: ['A100'] },
      { model_type: 'b', model_name: 'b', total_predictions: 0 },
    ]);
  });
});
