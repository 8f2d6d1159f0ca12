import { QuantileDistribution, type Distribution } from '../core/distribution';
import { CategoryHistory } from './category-history.predictor';
import { categoriesOf, numbersOf } from './feature-values.predictor';
import { RecursiveLeastSquares } from './least-squares.predictor';
import { LEVELS, type Features, type LastingPredictor } from './online.predictor';
import { OutcomeWindow } from './outcome-window.predictor';
import { RunningMean } from './running-mean.predictor';
import { fieldsIn, listIn, numberIn, textIn } from './state-reader.predictor';

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
/** How fast a change of everything is followed, as when a model became slower. */
const SHIFT_PACE = 0.03;
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
/** Logarithm of a year in ms. */
const LONGEST = Math.log(365 * 24 * 3_600_000);

/**
 * Log-linear regression of one model's service times, learned online: on the logarithms of the
 * task's numbers (tokens, steps, sizes) and on what tasks of the same categories (user, hardware,
 * type) took lately. The quantiles of its recent residuals, scaled by how much this task's
 * categories scatter, are the spread of a prediction (SCHEDULING, section 4).
 */
export class LogLinearPredictor implements LastingPredictor {
  private regression = new RecursiveLeastSquares();
  private residuals = new OutcomeWindow(RESIDUALS);
  /** What the latest outcomes have in common that the regression has not learned yet. */
  private shift = 0;
  private slow = new RunningMean(SLOW);
  private fast = new RunningMean(FAST);
  private variance = new RunningMean(VARIANCE_PACE);
  private readonly numbers = new Map<string, RunningMean>();
  private readonly categories = new Map<string, CategoryHistory>();
  /** Names in the order in which they were seen first, which is that of their regressors. */
  private readonly order: { readonly name: string; readonly isNumber: boolean }[] = [];

  /** @param levels of the quantiles that it answers with */
  constructor(private readonly levels = LEVELS) {}

  /** @throws {DamagedStateError} */
  static from(levels: readonly number[], state: unknown): LogLinearPredictor {
    const { regression, residuals, shift, slow, fast, variance, names } = fieldsIn(state);
    const restored = new LogLinearPredictor(levels);
    restored.regression = RecursiveLeastSquares.from(regression);
    restored.residuals = OutcomeWindow.from(RESIDUALS, residuals);
    restored.shift = numberIn(shift);
    restored.slow = RunningMean.from(SLOW, slow);
    restored.fast = RunningMean.from(FAST, fast);
    restored.variance = RunningMean.from(VARIANCE_PACE, variance);
    for (const entry of listIn(names, MOST_NUMBERS + MOST_CATEGORIES)) {
      const [name, number, category] = listIn(entry);
      restored.restoreName(textIn(name), number, category);
    }
    return restored;
  }

  /** As JSON, for `from`. */
  get state(): object {
    const { regression, residuals, shift, slow, fast, variance } = this;
    return {
      regression: regression.state,
      residuals: residuals.state,
      shift,
      slow: slow.state,
      fast: fast.state,
      variance: variance.state,
      names: this.order.map(({ name, isNumber }) =>
        isNumber
          ? [name, this.numbers.get(name)?.state]
          : [name, null, this.categories.get(name)?.state],
      ),
    };
  }

  predict(features: Features): Distribution | undefined {
    if (this.slow.count < LEAST || this.residuals.size === 0) return undefined;
    const values = new TaskValues(features);
    const centre = this.slow.mean + this.shift + this.regression.value(this.regressors(values));
    const scale = this.scaleOf(values);
    const quantiles = this.levels.map((level) =>
      Math.exp(Math.min(LONGEST, centre + scale * this.residuals.quantile(level))),
    );
    return new QuantileDistribution(this.levels, quantiles);
  }

  learn(features: Features, serviceMs: number): void {
    const values = new TaskValues(features);
    const outcome = Math.log(Math.max(SHORTEST_MS, serviceMs));
    const mean = this.slow.count === 0 ? outcome : this.slow.mean;
    const regressors = this.regressors(values);
    const residual = outcome - mean - this.shift - this.regression.value(regressors);
    const clipped = Math.max(-CLIP, Math.min(CLIP, residual));
    if (this.slow.count >= WARM_UP) this.residuals.add(residual / this.scaleOf(values));
    this.regression.learn(regressors, clipped);
    this.shift += SHIFT_PACE * clipped;
    this.slow.add(outcome);
    this.fast.add(outcome);
    this.variance.add(clipped * clipped);
    this.learnNumbers(values);
    this.learnCategories(values, outcome - mean, clipped);
  }

  private restoreName(name: string, number: unknown, category: unknown): void {
    const isNumber = number !== null;
    if (isNumber) this.numbers.set(name, RunningMean.from(NUMBER_PACE, number));
    else this.categories.set(name, CategoryHistory.from(category));
    this.order.push({ name, isNumber });
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
