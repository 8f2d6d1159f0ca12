import type { Distribution } from '../core/distribution';

/** What is known of a task before it runs. */
export interface Features {
  readonly model: string;
  /** As the client sent it: nothing about it is known. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Predicts service times, and learns from each task that has ended. Pure: no clock, no chance. */
export interface OnlinePredictor {
  /** The service time at speed 1 in ms; undefined while too little was learned. */
  predict(features: Features): Distribution | undefined;
  /** @param serviceMs what it really took, at speed 1 */
  learn(features: Features, serviceMs: number): void;
}

/** Levels of the quantiles that a predictor answers with. */
export const LEVELS: readonly number[] = Object.freeze([0.1, 0.25, 0.5, 0.75, 0.9]);
