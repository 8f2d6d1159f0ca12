import { QuantileDistribution, type Distribution } from '../core/distribution';
import { EmpiricalPredictor, type EmpiricalOptions, type Keys } from './empirical.predictor';
import { numbersOf } from './feature-values.predictor';
import { LogLinearPredictor } from './log-linear.predictor';
import { LEVELS, type Features, type LastingPredictor } from './online.predictor';
import { DamagedStateError, fieldsIn, listIn, numberIn } from './state-reader.predictor';
import { KNOWN_LEVELS, Way, type Told } from './way.predictor';

/** Outcomes of a model before anything is answered for it (contracts/predictor). */
const LEAST = 20;
/** Groups per empirical way: what is remembered of one model stays below some MiB. */
const MOST_GROUPS = 200;
/** Number of the format of the state: one of another number is not read. */
const FORMAT = 1;

/** How one way to predict begins, and goes on. */
interface Making {
  readonly fresh: () => LastingPredictor;
  readonly from: (state: unknown) => LastingPredictor;
}

/**
 * What is learned of one model: several ways to predict, of which the one is believed whose loss
 * was least lately.
 */
export class ModelPredictor implements LastingPredictor {
  private ways: readonly Way[] = WAYS.map(({ fresh }) => new Way(fresh()));
  /** What each way said of tasks that have not ended. */
  private readonly told = new WeakMap<Features, readonly Told[]>();
  private outcomes = 0;

  /** @throws {DamagedStateError} also for the state of another version */
  static from(state: unknown): ModelPredictor {
    const { format, outcomes, ways } = fieldsIn(state);
    if (format !== FORMAT) throw new DamagedStateError(`format ${FORMAT}`, format);
    const restored = new ModelPredictor();
    restored.outcomes = numberIn(outcomes);
    const states = listIn(ways);
    restored.ways = WAYS.map(({ from }, index) => {
      const way = fieldsIn(states[index]);
      return Way.from(from(way['inner']), way);
    });
    return restored;
  }

  /** As JSON, for `from`. What was said of tasks that have not ended is not part of it. */
  get state(): object {
    const { outcomes, ways } = this;
    return { format: FORMAT, outcomes, ways: ways.map(({ state }) => state) };
  }

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

/** No value of a category is empty. */
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

const WAYS: readonly Making[] = [
  {
    fresh: () => new LogLinearPredictor(KNOWN_LEVELS),
    from: (state) => LogLinearPredictor.from(KNOWN_LEVELS, state),
  },
  empirical({ keys: byHardware }),
  empirical({ keys: byUser, window: 100, least: 5 }),
  empirical({ keys: bySize, window: 200 }),
];

function empirical(grouping: EmpiricalOptions): Making {
  const options = { ...grouping, levels: KNOWN_LEVELS, mostGroups: MOST_GROUPS };
  return {
    fresh: () => new EmpiricalPredictor(options),
    from: (state) => EmpiricalPredictor.from(options, state),
  };
}
