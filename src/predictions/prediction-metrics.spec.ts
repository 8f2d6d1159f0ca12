import { Registry } from 'prom-client';
import { QuantileDistribution } from '../core/distribution';
import { instanceId } from '../core/units';
import { QueueLabels } from '../ops/queue-labels';
import { PredictionAccuracy } from './prediction-accuracy';
import { PredictionMetrics } from './prediction-metrics';

describe('PredictionMetrics', () => {
  const registry = new Registry();
  const accuracy = new PredictionAccuracy();
  new PredictionMetrics(registry, new QueueLabels(), accuracy);
  const serviceTime = QuantileDistribution.point(200);
  const observe = (model: string, actualMs: number, method = 'learned'): void =>
    accuracy.observe({ model, method, instanceId: instanceId('a'), serviceTime, actualMs });
  const figures = async (name: string): Promise<readonly (readonly [string, number])[]> => {
    const { values } = await registry.getSingleMetric(name)!.get();
    return values.map(({ labels, value }) => [`${labels['queue']} ${labels['source']}`, value]);
  };

  it('tells models and sources apart', async () => {
    observe('a', 100);
    observe('a', 400, 'lookup');
    expect(await figures('foresail_prediction_outcomes')).toEqual([
      ['a learned', 1],
      ['a lookup', 1],
    ]);
    expect(await figures('foresail_prediction_bias_ratio')).toEqual([
      ['a learned', expect.closeTo(2)],
      ['a lookup', expect.closeTo(0.5)],
    ]);
    expect(await figures('foresail_prediction_error_ratio')).toEqual([
      ['a learned', 1],
      ['a lookup', 0.5],
    ]);
    expect(await figures('foresail_prediction_coverage_ratio')).toContainEqual(['a learned', 0]);
    expect(await figures('foresail_prediction_pinball_seconds')).toEqual([
      ['a learned', expect.closeTo(0.05)],
      ['a lookup', expect.closeTo(0.1)],
    ]);
  });

  it('takes those together that have no label of their own', async () => {
    for (let n = 0; n < 120; n++) observe(`m${n}`, n < 110 ? 200 : 100);
    const outcomes = new Map(await figures('foresail_prediction_outcomes'));
    expect(outcomes.get('(others) learned')).toBe(21);
    const error = new Map(await figures('foresail_prediction_error_ratio'));
    expect(error.get('(others) learned')).toBeCloseTo(10 / 21);
  });
});
