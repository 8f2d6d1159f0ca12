import type { Distribution } from '../core/distribution';

/** What a prediction is asked for. */
export interface PredictionQuery {
  /** The model, which the predictor's interface calls `model_type`. */
  readonly model: string;
  /** As the client sent it: nothing about it is known. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Services that the question has passed on its way here, as in a `Via` header. */
  readonly via?: string;
}

/** The service time at speed 1 in ms; undefined when the source knows nothing of it. */
export type SourceAnswer = Distribution | undefined;

/** Names of the sources, in the order in which they are believed. */
export const PREDICTION_SOURCES = ['metadata', 'remote', 'learned', 'lookup', 'default'] as const;

export type PredictionSourceName = (typeof PREDICTION_SOURCES)[number];

/** One place that predictions come from. The first source that answers is believed. */
export interface PredictionSource {
  /** What is recorded with the task as `prediction_method`. */
  readonly method: PredictionSourceName;
  /** Never fails. A promise only where another service is asked. */
  predict(query: PredictionQuery): SourceAnswer | Promise<SourceAnswer>;
}
