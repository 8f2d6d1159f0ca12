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

/** A predictor whose memory can be written down. */
export interface LastingPredictor extends OnlinePredictor {
  /** What was learned, as JSON: one that is made from it predicts exactly the same. */
  readonly state: unknown;
}

/** Levels of the quantiles that a predictor answers with. */
export const LEVELS: readonly number[] = Object.freeze([0.1, 0.25, 0.5, 0.75, 0.9]);

/** Mean pinball loss over `LEVELS` of quantiles that were told for what came, in their unit. */
export function pinball(quantiles: readonly number[], actual: number): number {
  let sum = 0;
  LEVELS.forEach((level, index) => {
    const over = actual - (quantiles[index] ?? 0);
    sum += over >= 0 ? level * over : (level - 1) * over;
  });
  return sum / LEVELS.length;
}
