import { QuantileDistribution } from '../core/distribution';
import { instanceId } from '../core/units';
import { accuracyAnswer, previewAnswer } from './predictions.mapper';

describe('the native words', () => {
  it('for how predictions held', () => {
    const accuracy = { outcomes: 3, mape: 0.2, pinballMs: 9, coverage80: 1, bias: 1.1 };
    const where = { model: 'm', source: 'learned', instanceId: instanceId('i') };
    expect(accuracyAnswer({ ...where, accuracy }, 'gpu7')).toEqual({
      ...{ model: 'm', source: 'learned', instance_id: 'i', instance_name: 'gpu7' },
      ...{ outcomes: 3, mape: 0.2, pinball_ms: 9, coverage80: 1, bias: 1.1 },
    });
  });

  it('for what a task would be predicted', () => {
    const serviceTime = new QuantileDistribution([0.1, 0.9], [100, 200]);
    expect(previewAnswer('m', { method: 'lookup', serviceTime }, 0.7)).toEqual({
      model: 'm',
      source: 'lookup',
      quantiles: [0.1, 0.9],
      quantile_predictions: [100, 200],
      mean_ms: serviceTime.mean,
      deviation_ms: serviceTime.deviation,
      confidence: 0.7,
    });
  });
});
