import { QuantileDistribution } from '../../core/distribution';
import type { Prediction } from '../../core/task';
import { taskId } from '../../core/units';
import { LearnedPredictor } from '../learned.predictor';
import type { Features } from '../online.predictor';
import type { PredictionQuery } from '../prediction-source';
import { featuresOf, LearnedSource } from './learned.source';

const query = (tokens = 7): PredictionQuery => ({ model: 'm', metadata: { tokens } });
const given = (): Prediction => ({
  serviceTime: QuantileDistribution.point(1),
  method: 'metadata',
});

describe('LearnedSource', () => {
  it('answers from 20 outcomes on', () => {
    const predictor = new LearnedPredictor();
    const source = new LearnedSource(predictor);
    for (let n = 0; n < 19; n++) predictor.learn(featuresOf('m', { tokens: 7 }), 100);
    expect(source.predict(query())).toBeUndefined();
    predictor.learn(featuresOf('m', { tokens: 7 }), 100);
    expect(source.predict(query())?.quantile(0.5)).toBeCloseTo(100, 0);
    expect(source.predict({ ...query(), model: 'other' })).toBeUndefined();
  });

  it('asks the predictor once per question, and recalls just that when the task ends', () => {
    const asked: Features[] = [];
    const source = new LearnedSource({ predict: (features) => void asked.push(features) });
    const prediction = given();
    const question = query();
    source.predict(question);
    source.expect(prediction, question);
    source.remember(taskId('t'), prediction);
    expect(asked).toHaveLength(1);
    expect(source.recall(taskId('t'))).toBe(asked[0]);
    expect(source.recall(taskId('t'))).toBeUndefined();
  });

  it('remembers 4 096 live tasks, and none of them goes for a newer one', () => {
    const source = new LearnedSource(new LearnedPredictor());
    const take = (name: string): void => {
      const prediction = given();
      source.expect(prediction, query());
      source.remember(taskId(name), prediction);
    };
    for (let n = 0; n < 4_096; n++) take(`t${n}`);
    take('late');
    expect(source.recall(taskId('late'))).toBeUndefined();
    expect(source.recall(taskId('t0'))).toEqual({ model: 'm', metadata: { tokens: 7 } });
    take('next');
    expect(source.recall(taskId('next'))).toBeDefined();
  });

  it('does not ask about a task for which there is no room', () => {
    const asked: Features[] = [];
    const source = new LearnedSource({
      predict: (features: Features) => void asked.push(features),
    });
    const take = (name: string): void => {
      const prediction = given();
      source.expect(prediction, query());
      source.remember(taskId(name), prediction);
    };
    for (let n = 0; n < 4_096; n++) take(`t${n}`);
    take('late');
    expect(asked).toHaveLength(4_096);
    source.recall(taskId('t0'));
    take('next');
    expect(asked).toHaveLength(4_097);
  });

  it('does not know a prediction that it was not told of', () => {
    const source = new LearnedSource(new LearnedPredictor());
    source.remember(taskId('t'), given());
    expect(source.recall(taskId('t'))).toBeUndefined();
  });

  it('keeps few and short facts of what a client sends', () => {
    const text = 'x'.repeat(1_000);
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, n]));
    const metadata = JSON.parse('{"__proto__": 1, "ok": true}') as object;
    const odd = { ...metadata, text, [text]: 1, none: null, list: [1], predicted_ms: 3, ...many };
    const { metadata: facts } = featuresOf('m', odd);
    expect(Object.keys(facts)).toHaveLength(32);
    expect(facts).toMatchObject({ ok: true, k0: 0, k29: 29 });
  });
});
