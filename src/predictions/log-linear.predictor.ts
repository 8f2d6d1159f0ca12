import { QuantileDistribution, type Distribution } from '../core/distribution';
import { CategoryHistory } from './category-history.predictor';
import { categoriesOf, numbersOf } from './feature-values.predictor';
import { RecursiveLeastSquares } from './least-squares.predictor';
import { LEVELS, type Features, type OnlinePredictor } from './online.predictor';
import { OutcomeWindow } from './outcome-window.predictor';
import { RunningMean } from './running-mean.predictor';

/** Outcomes before the regression answers; with fewer its coefficients are mostly chance. */
const LEAST = 20;
/** Outcomes before residuals are collected: the first ones say nothing of the noise. */
const WARM_UP = 5;
/** Residuals whose quantiles are the spread of a prediction. */
const RESIDUALS = 400;
/** Names of numbers and of categories that are looked at: the first ones seen. */
const MOST_NUMBERS = 16;
const MOST_CATEGORIES = 6;
/** How fast the long and the short memory of the mean follow. */
const SLOW = 0.002;
const FAST = 0.1;
/** How fast the mean of a number follows, which its values are compared with. */
const NUMBER_PACE = 0.01;
const VARIANCE_PACE = 0.02;
/** Residuals count as at most this when something is learned from them: outliers teach little. */
const CLIP = 0.7;
/** Outcomes of a category that its memories are shrunk by, long and short. */
const SLOW_PRIOR = 2;
const FAST_PRIOR = 1;
/** The same for how much it scatters. */
const VARIANCE_PRIOR = 8;
const LEAST_SCALE = 0.3;
const MOST_SCALE = 3;
/** Shorter times count as this. */
const SHORTEST_MS = 1;

/**
 * Log-linear regression of one model's service times, learned online: on the logarithms of the
 * task's numbers (tokens, steps, sizes) and on what tasks of the same categories (user, hardware,
 * type) took lately. The quantiles of its recent residuals, scaled by how much this task's
 * categories scatter, are the spread of a prediction (SCHEDULING, section 4).
 */
export class LogLinearPredictor implements OnlinePredictor {
  private readonly regression = new RecursiveLeastSquares();
  private readonly residuals = new OutcomeWindow(RESIDUALS);
  private readonly slow = new RunningMean(SLOW);
  private readonly fast = new RunningMean(FAST);
  private readonly variance = new RunningMean(VARIANCE_PACE);
  private readonly numbers = new Map<string, RunningMean>();
  private readonly categories = new Map<string, CategoryHistory>();
  /** Names in the order in which they were seen first, which is that of their regressors. */
  private readonly order: { readonly name: string; readonly isNumber: boolean }[] = [];

  predict(features: Features): Distribution | undefined {
    if (this.slow.count < LEAST) return undefined;
    const values = new TaskValues(features);
    const centre = this.slow.mean + this.regression.value(this.regressors(values));
    const scale = this.scaleOf(values);
    const quantiles = LEVELS.map((level) =>
      Math.exp(centre + scale * this.residuals.quantile(level)),
    );
    return new QuantileDistribution(LEVELS, quantiles);
  }

  learn(features: Features, serviceMs: number): void {
    const values = new TaskValues(features);
    const outcome = Math.log(Math.max(SHORTEST_MS, serviceMs));
    const mean = this.slow.count === 0 ? outcome : this.slow.mean;
    const regressors = this.regressors(values);
    const residual = outcome - mean - this.regression.value(regressors);
    const clipped = Math.max(-CLIP, Math.min(CLIP, residual));
    if (this.slow.count >= WARM_UP) this.residuals.add(residual / this.scaleOf(values));
    this.regression.learn(regressors, clipped);
    this.slow.add(outcome);
    this.fast.add(outcome);
    this.variance.add(clipped * clipped);
    this.learnNumbers(values);
    this.learnCategories(values, outcome - mean, clipped);
  }

  private regressors({ numbers, categories }: TaskValues): number[] {
    const regressors = [1, this.fast.mean - this.slow.mean];
    for (const { name, isNumber } of this.order) {
      if (isNumber) {
        const value = numbers.get(name);
        regressors.push(value === undefined ? 0 : value - (this.numbers.get(name)?.mean ?? value));
        continue;
      }
      const history = this.categories.get(name)?.of(categories.get(name));
      regressors.push(
        history?.slow.shrunk(SLOW_PRIOR) ?? 0,
        history?.fast.shrunk(FAST_PRIOR) ?? 0,
        history?.residual.shrunk(FAST_PRIOR) ?? 0,
      );
    }
    return regressors;
  }

  /** How much more tasks like this one scatter than the model's tasks do: a factor of the deviation. */
  private scaleOf({ categories }: TaskValues): number {
    const all = this.variance.mean;
    if (all === 0) return 1;
    let factor = 1;
    for (const [name, history] of this.categories) {
      const variance = history.of(categories.get(name))?.variance;
      if (!variance) continue;
      const { mean, count } = variance;
      factor *= (mean * count + all * VARIANCE_PRIOR) / ((count + VARIANCE_PRIOR) * all);
    }
    return Math.max(LEAST_SCALE, Math.min(MOST_SCALE, Math.sqrt(factor)));
  }

  private learnNumbers({ numbers }: TaskValues): void {
    for (const [name, value] of numbers) {
      let mean = this.numbers.get(name);
      if (!mean) {
        if (this.numbers.size >= MOST_NUMBERS) continue;
        this.numbers.set(name, (mean = new RunningMean(NUMBER_PACE)));
        this.order.push({ name, isNumber: true });
      }
      mean.add(value);
    }
  }

  private learnCategories({ categories }: TaskValues, difference: number, residual: number): void {
    for (const [name, value] of categories) {
      let history = this.categories.get(name);
      if (!history) {
        if (this.categories.size >= MOST_CATEGORIES) continue;
        this.categories.set(name, (history = new CategoryHistory()));
        this.order.push({ name, isNumber: false });
      }
      history.learn(value, difference, residual);
    }
  }
}

/** What a task says of itself, in the forms that are learned from. */
class TaskValues {
  readonly numbers: ReadonlyMap<string, number>;
  readonly categories: ReadonlyMap<string, string>;

  constructor({ metadata }: Features) {
    this.numbers = numbersOf(metadata);
    this.categories = categoriesOf(metadata);
  }
}
