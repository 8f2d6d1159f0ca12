import { QuantileDistribution, type Distribution } from '../core/distribution';
import { EmpiricalPredictor, type Keys } from '../predictions/empirical.predictor';
import { LearnedPredictor } from '../predictions/learned.predictor';
import type { Features, OnlinePredictor } from '../predictions/online.predictor';
import { tokenServiceMs } from '../ops/token-service';
import type { SimulatedPredictor } from './simulation';
import type { SimulatedTask } from './workload';

/** Knows the truth, as no scheduler does. */
export class OraclePredictor implements SimulatedPredictor {
  predict({ serviceMs }: SimulatedTask): Distribution {
    return QuantileDistribution.point(serviceMs);
  }
}

/** Knows both lengths and the formula behind the service times, but not their noise. */
export class TokensPredictor implements SimulatedPredictor {
  predict({ metadata }: SimulatedTask): Distribution {
    const { input_tokens: input, output_tokens: output } = metadata;
    return QuantileDistribution.point(tokenServiceMs(Number(input), Number(output)));
  }
}

/** What is believed while nothing was learned: any time of some seconds. */
const UNKNOWN = new QuantileDistribution([0.1, 0.5, 0.9], [500, 3_000, 10_000]);

/** Sees an outcome when that many more tasks have arrived, ended or not. */
export class DelayedPredictor implements SimulatedPredictor {
  private readonly unseen: SimulatedTask[] = [];

  constructor(
    private readonly inner: OnlinePredictor,
    private readonly delay: number,
  ) {}

  predict(task: SimulatedTask): Distribution {
    if (this.unseen.push(task) > this.delay) {
      const seen = this.unseen.shift();
      if (seen) this.inner.learn(seen, seen.serviceMs);
    }
    return this.inner.predict(task) ?? UNKNOWN;
  }
}

/** Sees an outcome when its task has ended, as the scheduler does. */
export class LearningPredictor implements SimulatedPredictor {
  constructor(private readonly inner: OnlinePredictor) {}

  predict(task: SimulatedTask): Distribution {
    return this.inner.predict(task) ?? UNKNOWN;
  }

  learn(task: SimulatedTask): void {
    this.inner.learn(task, task.serviceMs);
  }
}

const byModel: Keys = ({ model }) => [model, ALL];
const byInput: Keys = ({ model, metadata }) => {
  const halfOctave = Math.round(2 * Math.log2(Number(metadata['input_tokens']) + 1));
  return [`${model}/${halfOctave}`, model, ALL];
};
/** No model has an empty name. */
const ALL = '';
/** Tasks that arrive before an outcome is seen (SCHEDULING, section 2). */
const DELAY = 100;
/** Outcomes from which on a fallback is better than nothing. */
const FALLBACK_LEAST = 5;

/** Asks the like tasks of the model, then all, while the predictor knows too little of a model. */
export function withFallback(predictor: OnlinePredictor): OnlinePredictor {
  const fallback = new EmpiricalPredictor({ keys: byModel, least: FALLBACK_LEAST });
  return {
    predict: (features: Features) => predictor.predict(features) ?? fallback.predict(features),
    learn: (features: Features, serviceMs: number): void => {
      predictor.learn(features, serviceMs);
      fallback.learn(features, serviceMs);
    },
  };
}

/** Makes a predictor that has learned nothing yet. */
export type PredictorFactory = () => SimulatedPredictor;

/** Predictors that go by a name, each made anew for a run. */
export const PREDICTOR_PRESETS: ReadonlyMap<string, PredictorFactory> = new Map<
  string,
  PredictorFactory
>([
  ['oracle', () => new OraclePredictor()],
  ['tokens', () => new TokensPredictor()],
  ['input', () => new DelayedPredictor(new EmpiricalPredictor({ keys: byInput }), DELAY)],
  ['model', () => new DelayedPredictor(new EmpiricalPredictor({ keys: byModel }), DELAY)],
  ['learned', () => new LearningPredictor(withFallback(new LearnedPredictor()))],
]);
