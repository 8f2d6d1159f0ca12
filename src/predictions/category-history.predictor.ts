import { RunningMean } from './running-mean.predictor';
import { listIn, textIn } from './state-reader.predictor';

/** Values of one category that are remembered: the one that was seen last longest ago is forgotten. */
const MOST_VALUES = 1_000;
const SLOW = 0.1;
const FAST = 0.5;
const VARIANCE_PACE = 0.1;

/** How tasks of one value of a category (one user, one kind of hardware) lately differed from the model's mean. */
export interface ValueHistory {
  /** Difference of the logarithm, long and short memory. */
  readonly slow: RunningMean;
  readonly fast: RunningMean;
  /** What the regression left over. */
  readonly residual: RunningMean;
  /** Square of what it left over. */
  readonly variance: RunningMean;
}

/** One category of a model's tasks: what its values were like. */
export class CategoryHistory {
  private readonly values = new Map<string, ValueHistory>();

  /** @throws {DamagedStateError} */
  static from(state: unknown): CategoryHistory {
    const restored = new CategoryHistory();
    for (const entry of listIn(state, MOST_VALUES)) {
      const [value, slow, fast, residual, variance] = listIn(entry);
      restored.values.set(textIn(value), {
        slow: RunningMean.from(SLOW, slow),
        fast: RunningMean.from(FAST, fast),
        residual: RunningMean.from(FAST, residual),
        variance: RunningMean.from(VARIANCE_PACE, variance),
      });
    }
    return restored;
  }

  /** As JSON, for `from`. */
  get state(): readonly unknown[] {
    return [...this.values].map(([value, { slow, fast, residual, variance }]) => [
      value,
      ...[slow, fast, residual, variance].map(({ state }) => state),
    ]);
  }

  of(value: string | undefined): ValueHistory | undefined {
    return value === undefined ? undefined : this.values.get(value);
  }

  learn(value: string, difference: number, residual: number): void {
    const history = this.values.get(value) ?? newHistory();
    history.slow.add(difference);
    history.fast.add(difference);
    history.residual.add(residual);
    history.variance.add(residual * residual);
    this.values.delete(value);
    this.values.set(value, history);
    if (this.values.size > MOST_VALUES) this.forgetOldest();
  }

  private forgetOldest(): void {
    for (const value of this.values.keys()) {
      this.values.delete(value);
      return;
    }
  }
}

function newHistory(): ValueHistory {
  return {
    slow: new RunningMean(SLOW),
    fast: new RunningMean(FAST),
    residual: new RunningMean(FAST),
    variance: new RunningMean(VARIANCE_PACE),
  };
}
