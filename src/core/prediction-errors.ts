import type { Moments } from './distribution';
import type { UncertainTime } from './list-schedule';

/** Outcomes that count, roughly; the older ones fade. */
const MEMORY = 500;
/** As if so many outcomes had been just as predicted, and independent. */
const PRIOR = 20;
/** An error beyond so many deviations counts as that: one wild outcome must not widen everything. */
const LARGEST = 3;
/** How much of a sum of errors is left with the next one. */
const FADE = 7 / 8;

/**
 * How wrong the predictions of a queue lately were, in deviations: how large their errors are beside
 * what was predicted of them, and how much one is like the next. Errors have causes in common, as a
 * predictor that has not learned yet what changed, and those do not cancel in a sum.
 */
export class PredictionErrors {
  private seen = 0;
  private recent = 0;
  /** Mean square of the errors, and of their fading sum. */
  private square = 1;
  private sumSquare = 1 / (1 - FADE ** 2);

  /** A task ran for so many ms at speed 1. What was predicted without any doubt says nothing here. */
  learn({ mean, variance }: Moments, actualMs: number): void {
    if (variance <= 0) return;
    const deviations = (actualMs - mean) / Math.sqrt(variance);
    const error = Math.min(LARGEST, Math.max(-LARGEST, deviations));
    const weight = Math.max(1 / MEMORY, 1 / (PRIOR + ++this.seen));
    this.recent = FADE * this.recent + error;
    this.square += weight * (error ** 2 - this.square);
    this.sumSquare += weight * (this.recent ** 2 - this.sumSquare);
  }

  /** Mean square of the errors; 1 when the predicted deviations are right. */
  get inflation(): number {
    return this.square;
  }

  /**
   * Correlation between any two errors of about the same time, 0 to 1. A fading sum of errors that
   * are all correlated by c has the variance `square × ((1 − c) / (1 − f²) + c / (1 − f)²)`.
   */
  get correlation(): number {
    const ratio = (this.sumSquare * (1 - FADE ** 2)) / this.square;
    const most = (1 + FADE) / (1 - FADE);
    return Math.min(1, Math.max(0, (ratio - 1) / (most - 1)));
  }

  /** The variance of a time that many predictions are in, in ms². */
  varianceOf({ variance, common }: UncertainTime): number {
    const { inflation, correlation } = this;
    return inflation * ((1 - correlation) * variance + correlation * common ** 2);
  }
}
