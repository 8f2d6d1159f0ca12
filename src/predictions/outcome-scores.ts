import { rangeOf, type Distribution } from '../core/distribution';
import { LEVELS, pinball } from './online.predictor';

/** How well predictions held over some outcomes. */
export interface Accuracy {
  /** How many outcomes that is. */
  readonly outcomes: number;
  /** Mean absolute error of the median, as a share of what it really was. */
  readonly mape: number;
  /** Mean pinball loss over the levels .1 .25 .5 .75 .9, in ms. */
  readonly pinballMs: number;
  /** Share of outcomes inside the 80 % interval, its ends included. */
  readonly coverage80: number;
  /** Geometric mean of predicted median over actual time: 1 is none, 2 is twice as long as it was. */
  readonly bias: number;
}

/** Outcomes that count (contracts/predictor.md). */
const REMEMBERED = 200;
/** The interval whose promise is kept or broken. */
const INTERVAL = 0.8;
/** Shorter times count as this where they are divided by: what a clock tells of them is chance. */
const SHORTEST_MS = 1;

/** Figures of one outcome, by their place. */
const INSIDE = 0;
const ERROR = 1;
const PINBALL = 2;
const LOG_RATIO = 3;
const FIGURES = 4;

/** How the last 200 outcomes compare with what was predicted, in a ring. */
export class OutcomeScores {
  private added = 0;
  private readonly ring = new Float32Array(REMEMBERED * FIGURES);
  private readonly sums = new Float64Array(FIGURES);

  get count(): number {
    return Math.min(REMEMBERED, this.added);
  }

  /** Share inside the 80 % interval; NaN without outcomes. */
  get coverage80(): number {
    return this.sum(INSIDE) / this.count;
  }

  /** @param actualMs what it took at speed 1 */
  add(serviceTime: Distribution, actualMs: number): void {
    const { lowMs, highMs } = rangeOf(serviceTime, INTERVAL);
    const quantiles = LEVELS.map((level) => serviceTime.quantile(level));
    const ratio = atLeast(serviceTime.quantile(0.5)) / atLeast(actualMs);
    this.put(INSIDE, Number(lowMs <= actualMs && actualMs <= highMs));
    this.put(ERROR, Math.abs(ratio - 1));
    this.put(PINBALL, pinball(quantiles, actualMs));
    this.put(LOG_RATIO, Math.log(ratio));
    this.added += 1;
  }

  /** Of all these outcomes together; undefined without any. */
  static accuracyOf(parts: readonly OutcomeScores[]): Accuracy | undefined {
    const outcomes = parts.reduce((sum, { count }) => sum + count, 0);
    if (outcomes === 0) return undefined;
    const mean = (figure: number): number =>
      parts.reduce((sum, part) => sum + part.sum(figure), 0) / outcomes;
    return {
      outcomes,
      mape: mean(ERROR),
      pinballMs: mean(PINBALL),
      coverage80: mean(INSIDE),
      bias: Math.exp(mean(LOG_RATIO)),
    };
  }

  /** What leaves the sum is what once entered it, to the last bit: the ring rounds before both. */
  private put(figure: number, value: number): void {
    const at = (this.added % REMEMBERED) * FIGURES + figure;
    const gone = this.ring[at] ?? 0;
    this.ring[at] = value;
    this.sums[figure] = this.sum(figure) + (this.ring[at] ?? 0) - gone;
  }

  private sum(figure: number): number {
    return this.sums[figure] ?? 0;
  }
}

function atLeast(ms: number): number {
  return Math.max(SHORTEST_MS, ms);
}
