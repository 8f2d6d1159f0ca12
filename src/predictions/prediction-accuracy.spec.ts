import { QuantileDistribution } from '../core/distribution';
import { instanceId } from '../core/units';
import {
  PredictionAccuracy,
  type AccuracyFilter,
  type AccuracyKey,
  type InstanceAccuracy,
} from './prediction-accuracy';

describe('PredictionAccuracy', () => {
  const serviceTime = new QuantileDistribution([0.1, 0.5, 0.9], [100, 200, 400]);
  let accuracy: PredictionAccuracy;

  const observe = (actualMs: number, times = 1, model = 'llama', method = 'lookup'): void => {
    const outcome = { model, method, instanceId: instanceId('gpu7'), serviceTime, actualMs };
    for (let i = 0; i < times; i += 1) accuracy.observe(outcome);
  };
  const confidence = (model = 'llama', method = 'lookup'): number =>
    accuracy.confidence(method, model);

  beforeEach(() => {
    accuracy = new PredictionAccuracy();
  });

  it('says nothing before 20 outcomes', () => {
    expect(confidence()).toBe(0.5);
    observe(200, 19);
    expect(confidence()).toBe(0.5);
    observe(200);
    expect(confidence()).toBe(1);
  });

  it('is the share inside the 80 % interval, its ends included', () => {
    observe(100, 5);
    observe(400, 5);
    observe(99.9, 5);
    observe(400.1, 5);
    expect(confidence()).toBe(0.5);
    observe(300, 20);
    expect(confidence()).toBe(0.75);
  });

  it('remembers the last 200', () => {
    observe(1, 200);
    expect(confidence()).toBe(0);
    observe(200, 50);
    expect(confidence()).toBe(0.25);
    observe(200, 150);
    expect(confidence()).toBe(1);
  });

  it('keeps sources and models apart', () => {
    observe(200, 20);
    observe(1, 20, 'llama', 'remote');
    expect(confidence('llama', 'remote')).toBe(0);
    expect(confidence()).toBe(1);
    expect(confidence('gpt')).toBe(0.5);
  });

  it('lets go of models that were quiet longest', () => {
    observe(200, 20, 'old');
    observe(200, 20, 'busy');
    for (let i = 0; i < 9_999; i += 1) observe(1, 1, `m${i}`);
    observe(200, 1, 'busy');
    expect(confidence('old')).toBe(0.5);
    expect(confidence('busy')).toBe(1);
  });

  describe('its list', () => {
    const at = (instance: string, model = 'llama', method = 'lookup', actualMs = 200): void =>
      accuracy.observe({ model, method, instanceId: instanceId(instance), serviceTime, actualMs });
    const places = (filter: AccuracyFilter = {}, behind?: AccuracyKey, limit = 100) =>
      accuracy
        .list(filter, behind, limit)
        .map(({ model, source, instanceId: where }) => [model, source, where].join(' '));

    beforeEach(() => {
      at('b');
      at('a');
      at('a', 'llama', 'learned');
      at('a', 'gpt');
    });

    it('has each model, source and instance, in that order', () => {
      const all = ['gpt lookup a', 'llama learned a', 'llama lookup a', 'llama lookup b'];
      expect(places()).toEqual(all);
      expect(places({}, ['llama', 'learned', 'a'], 1)).toEqual(['llama lookup a']);
      expect(places({ model: 'llama', source: 'lookup' })).toEqual(all.slice(2));
      expect(places({ instanceId: instanceId('b') })).toEqual(['llama lookup b']);
    });

    it('tells how the predictions held there', () => {
      at('a', 'm', 'lookup', 100);
      at('a', 'm', 'lookup', 400);
      const [{ accuracy: figures }] = accuracy.list({ model: 'm' }, undefined, 1) as [
        InstanceAccuracy,
      ];
      // Quantiles .1 .25 .5 .75 .9 are 100, 137.5, 200, 325, 400.
      expect(figures.outcomes).toBe(2);
      expect(figures.mape).toBeCloseTo((1 + 0.5) / 2);
      expect(figures.coverage80).toBe(1);
      expect(figures.bias).toBeCloseTo(1);
      const low = (0 + 0.75 * 37.5 + 0.5 * 100 + 0.25 * 225 + 0.1 * 300) / 5;
      const high = (0.1 * 300 + 0.25 * 262.5 + 0.5 * 200 + 0.75 * 75 + 0) / 5;
      expect(figures.pinballMs).toBeCloseTo((low + high) / 2, 4);
    });

    it('says what was too long, and what too short', () => {
      for (let n = 0; n < 500; n++) at('long', 'm', 'lookup', 100);
      at('short', 'm', 'lookup', 400);
      at('nothing', 'm', 'lookup', 0);
      const bias = accuracy
        .list({ model: 'm' }, undefined, 9)
        .map(({ accuracy: { bias: b } }) => b);
      expect(bias).toEqual([expect.closeTo(2), expect.closeTo(200), expect.closeTo(0.5)]);
    });

    it('knows where something ran', () => {
      expect([accuracy.knowsInstance('b'), accuracy.knowsInstance('c')]).toEqual([true, false]);
    });
  });
});
