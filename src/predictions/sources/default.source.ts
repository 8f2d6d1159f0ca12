import { QuantileDistribution, type Distribution } from '../../core/distribution';
import type { PredictionSource } from '../prediction-source';

/** How wide "nothing is known" is: quantiles as multiples of the default service time. */
const LEVELS = Object.freeze([0.1, 0.5, 0.9]);
const MULTIPLES = [0.25, 0.8, 2.2];

/** The last resort: one wide distribution around the configured default service time. */
export class DefaultSource implements PredictionSource {
  readonly method = 'default';
  private readonly distribution: Distribution;

  /** @param serviceMs typical service time of a task of which nothing is known */
  constructor(serviceMs: number) {
    const values = MULTIPLES.map((multiple) => multiple * serviceMs);
    this.distribution = new QuantileDistribution(LEVELS, values);
  }

  predict(): Distribution {
    return this.distribution;
  }
}
