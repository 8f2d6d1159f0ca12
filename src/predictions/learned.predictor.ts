import { QuantileDistribution, type Distribution } from '../core/distribution';
import { EmpiricalPredictor, type Keys } from './empirical.predictor';
import { LogLinearPredictor } from './log-linear.predictor';
import { numbersOf } from './feature-values.predictor';
import { LEVELS, type Features, type OnlinePredictor } from './online.predictor';
import { RunningMean } from './running-mean.predictor';

/** Outcomes of a model before anything is answered for it (contracts/predictor). */
const LEAST = 20;
/** Models beyond this many are predicted like all the others: their names come from clients. */
const MOST_MODELS = 1_000;
/** How fast the running loss of each way to predict follows. */
const LOSS_PACE = 0.02;
/** Share of outcomes beyond each outer quantile, and how fast their distance from the median follows. */
const MISSES = 0.1;
const WIDTH_PACE = 0.01;
const MOST_WIDTH = 1.5;
/** Nothing is said to take longer than this many times what the longest task took. */
const MOST_BEYOND = 2;

/**
 * Service times learned online from the scheduler's own completed tasks: per model, whichever way
 * to predict has had the least pinball loss lately (regression, or the quantiles of like tasks),
 * with the width corrected so that 80 % of the outcomes fall inside the 80 % interval. Models do
 * not hear of each other.
 */
export class LearnedPredictor implements OnlinePredictor {
  private readonly models = new Map<string, ModelPredictor>();

  predict(features: Features): Distribution | undefined {
    return this.models.get(features.model)?.predict(features);
  }

  learn(features: Features, serviceMs: number): void {
    const known = this.models.get(features.model);
    if (!known && this.models.size >= MOST_MODELS) return;
    const model = known ?? new ModelPredictor();
    if (!known) this.models.set(features.model, model);
    model.learn(features, serviceMs);
  }
}

/** What is learned of one model. */
class ModelPredictor implements OnlinePredictor {
  private readonly ways: readonly Way[] = [
    new Way(new LogLinearPredictor()),
    new Way(new EmpiricalPredictor({ keys: byHardware })),
    new Way(new EmpiricalPredictor({ keys: byUser, window: 100, least: 5 })),
    new Way(new EmpiricalPredictor({ keys: bySize, window: 200 })),
  ];
  /** What each way said of tasks that have not ended. */
  private readonly told = new WeakMap<Features, readonly Told[]>();
  private outcomes = 0;

  predict(features: Features): Distribution | undefined {
    if (this.outcomes < LEAST) return undefined;
    const told = this.ways.map((way) => way.quantiles(features));
    this.told.set(features, told);
    const best = this.best(told);
    return best && new QuantileDistribution(LEVELS, best);
  }

  /**
   * A way is judged by what it said when the task came: when the task ends, more is known, and the
   * longer the task the more.
   */
  learn(features: Features, serviceMs: number): void {
    this.outcomes++;
    const told = this.told.get(features);
    this.told.delete(features);
    this.ways.forEach((way, index) => way.learn(features, serviceMs, told?.[index]));
  }

  private best(told: readonly Told[]): Told {
    let best: Told;
    let least = Infinity;
    told.forEach((quantiles, index) => {
      const loss = this.ways[index]?.loss ?? Infinity;
      if (!quantiles || (best && loss >= least)) return;
      best = quantiles;
      least = loss;
    });
    return best;
  }
}

/** Quantiles at `LEVELS`; undefined of a way that knew too little. */
type Told = readonly number[] | undefined;

/** One way to predict, how well it has done, and how wide its intervals have to be. */
class Way {
  private readonly losses = new RunningMean(LOSS_PACE);
  /** Logarithms of the factors by which the intervals are widened below and above the median. */
  private below = 0;
  private above = 0;
  private longest = 0;

  constructor(private readonly inner: OnlinePredictor) {}

  /** Mean pinball loss lately; 0 while it was never judged, so that it is. */
  get loss(): number {
    return this.losses.mean;
  }

  quantiles(features: Features): Told {
    const inner = this.inner.predict(features);
    if (!inner) return undefined;
    const median = inner.quantile(0.5);
    if (median <= 0) return LEVELS.map((level) => inner.quantile(level));
    const [below, above] = [Math.exp(this.below), Math.exp(this.above)];
    return LEVELS.map((level) => {
      const widened = median * (inner.quantile(level) / median) ** (level < 0.5 ? below : above);
      return Math.min(widened, MOST_BEYOND * this.longest);
    });
  }

  learn(features: Features, serviceMs: number, told: Told): void {
    if (told) this.judge(told, serviceMs);
    this.longest = Math.max(this.longest, serviceMs);
    this.inner.learn(features, serviceMs);
  }

  private judge(told: readonly number[], serviceMs: number): void {
    this.losses.add(pinball(told, serviceMs));
    this.below = follow(this.below, serviceMs < (told[0] ?? 0));
    this.above = follow(this.above, serviceMs > (told.at(-1) ?? 0));
  }
}

/** In the long run as many steps up as down: the share outside is the one that is meant to be. */
function follow(width: number, missed: boolean): number {
  const next = width + WIDTH_PACE * (missed ? 1 - MISSES : -MISSES);
  return Math.max(-MOST_WIDTH, Math.min(MOST_WIDTH, next));
}

/** Mean loss over `LEVELS` of quantiles that were told for what came. */
export function pinball(quantiles: readonly number[], actual: number): number {
  let sum = 0;
  LEVELS.forEach((level, index) => {
    const over = actual - (quantiles[index] ?? 0);
    sum += over >= 0 ? level * over : (level - 1) * over;
  });
  return sum / LEVELS.length;
}

/** No value of a category is longer than this text. */
const ALL = '';
const byHardware: Keys = ({ metadata }) => keysOf(metadata['hardware']);
const byUser: Keys = ({ metadata }) => keysOf(metadata['user']);

/** Tasks whose numbers are alike, by octaves. */
const bySize: Keys = ({ metadata }) => {
  const cells = [...numbersOf(metadata)].map(
    ([name, log]) => `${name}:${Math.round(log / Math.LN2)}`,
  );
  return [cells.sort().join(), ALL];
};

function keysOf(value: unknown): readonly string[] {
  return typeof value === 'string' && value !== ALL ? [value, ALL] : [ALL];
}
