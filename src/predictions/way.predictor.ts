import type { Distribution } from '../core/distribution';
import { LEVELS, pinball, type Features, type LastingPredictor } from './online.predictor';
import { RunningMean } from './running-mean.predictor';
import { fieldsIn, numberIn } from './state-reader.predictor';

/** How fast the running loss follows. */
const LOSS_PACE = 0.01;
/** Share of outcomes that is meant to be beyond each outer quantile. */
const MISSES = 0.1;
/** How fast the levels that are asked for follow what was missed, as a logarithm. */
const LEVEL_PACE = 0.02;
/** Outer levels that are asked for: from 0.01 to 0.33, as logarithms of their ratio to `MISSES`. */
const FARTHEST = Math.log(0.01 / MISSES);
const NEAREST = Math.log(0.33 / MISSES);
/** Nothing is said to take longer than this many times what the longest task took. */
const MOST_BEYOND = 2;

/**
 * Levels that a way has to know its quantiles at: beyond the outer ones of `LEVELS`, so that its
 * intervals can be made wider.
 */
export const KNOWN_LEVELS: readonly number[] = Object.freeze([
  0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97, 0.99,
]);

/** Quantiles at `LEVELS`; undefined of a way that knew too little. */
export type Told = readonly number[] | undefined;

/**
 * One way to predict, how well it has done, and how far its outer quantiles lie. When too many
 * outcomes are beyond a quantile, one of a level farther out takes its place (adaptive conformal
 * inference: Gibbs and Candès, 2021). So a wider interval comes from outcomes that were seen, and
 * not from stretching, which goes astray where times are far apart.
 */
export class Way {
  private losses = new RunningMean(LOSS_PACE);
  /** Logarithms of the ratio of the outer levels that are asked for to `MISSES`. */
  private below = 0;
  private above = 0;
  private longest = 0;

  constructor(private readonly inner: LastingPredictor) {}

  /**
   * @param inner as it was when the state was written
   * @throws {DamagedStateError}
   */
  static from(inner: LastingPredictor, state: unknown): Way {
    const { losses, below, above, longest } = fieldsIn(state);
    const restored = new Way(inner);
    restored.losses = RunningMean.from(LOSS_PACE, losses);
    restored.below = numberIn(below);
    restored.above = numberIn(above);
    restored.longest = numberIn(longest);
    return restored;
  }

  /** As JSON, for `from`; that of the inner predictor is in `inner`. */
  get state(): object {
    const { losses, below, above, longest, inner } = this;
    return { losses: losses.state, below, above, longest, inner: inner.state };
  }

  /** Mean pinball loss lately; 0 while it was never judged, so that it is. */
  get loss(): number {
    return this.losses.mean;
  }

  quantiles(features: Features): Told {
    const inner = this.inner.predict(features);
    return inner && LEVELS.map((level) => this.quantile(inner, level));
  }

  /** @param told what it said of the task when that came */
  learn(features: Features, serviceMs: number, told: Told): void {
    if (told) this.judge(told, serviceMs);
    this.longest = Math.max(this.longest, serviceMs);
    this.inner.learn(features, serviceMs);
  }

  /** Between the median and an outer level, levels move in proportion. */
  private quantile(inner: Distribution, level: number): number {
    const outer = MISSES * Math.exp(level < 0.5 ? this.below : this.above);
    const moved = 0.5 + ((level - 0.5) * (0.5 - outer)) / (0.5 - MISSES);
    return Math.min(inner.quantile(moved), MOST_BEYOND * this.longest);
  }

  private judge(told: readonly number[], serviceMs: number): void {
    this.losses.add(pinball(told, serviceMs));
    this.below = follow(this.below, serviceMs < (told[0] ?? 0));
    this.above = follow(this.above, serviceMs > (told.at(-1) ?? 0));
  }
}

/** In the long run as many steps out as in: the share outside is the one that is meant to be. */
function follow(level: number, missed: boolean): number {
  const next = level - LEVEL_PACE * (missed ? 1 - MISSES : -MISSES);
  return Math.max(FARTHEST, Math.min(NEAREST, next));
}
