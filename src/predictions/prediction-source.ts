import type { Distribution } from '../core/distribution';

/** What a prediction is asked for. */
export interface PredictionQuery {
  /** The model, which the predictor's interface calls `model_type`. */
  readonly model: string;
  /** As the client sent it: nothing about it is known. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** One place that predictions come from. The first source that answers is believed. */
export interface PredictionSource {
  /** What is recorded with the task as `prediction_method`. */
  readonly method: string;
  /** The service time at speed 1 in ms; undefined when this source knows nothing of it. */
  predict(query: PredictionQuery): Distribution | undefined;
}
