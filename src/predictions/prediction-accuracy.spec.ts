import { QuantileDistribution } from '../core/distribution';
import { instanceId } from '../core/units';
import { PredictionAccuracy } from './prediction-accuracy';

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
});
