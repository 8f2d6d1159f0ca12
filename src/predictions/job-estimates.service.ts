import { QuantileDistribution } from '../core/distribution';
import type { Prediction } from '../core/task';
import type { TaskId } from '../core/units';
import { OwnerHistory } from './owner-history.predictor';

/**
 * How long batch jobs will run: by the last ones of their owner and their limit, else by that alone. It decides the
 * order in which jobs wait; reservations go by limits.
 */
export class JobEstimates {
  private readonly history = new OwnerHistory();
  /** Owners by predictions whose jobs are not kept yet. */
  private readonly asked = new WeakMap<Prediction, string>();
  /** Owners of live jobs. */
  private readonly owners = new Map<TaskId, string>();

  /** @param assumedLimitMs of jobs without a limit whose owner is unknown */
  constructor(private readonly assumedLimitMs: number) {}

  /**
   * The method is `owner` where jobs of the owner with that limit are known, else `limit`, else `default`.
   * @param limitMs `Infinity`: none
   */
  predict(owner: string, limitMs: number): Prediction {
    const known = this.history.predict(owner, limitMs);
    const limit = Number.isFinite(limitMs) ? limitMs : undefined;
    const method = known !== undefined ? 'owner' : limit !== undefined ? 'limit' : 'default';
    const serviceTime = QuantileDistribution.point(known ?? limit ?? this.assumedLimitMs);
    const prediction = { serviceTime, method };
    this.asked.set(prediction, owner);
    return prediction;
  }

  /** The job of a prediction was taken in. */
  remember(id: TaskId, prediction: Prediction): void {
    const owner = this.asked.get(prediction);
    if (owner !== undefined) this.owners.set(id, owner);
  }

  /** The job has ended. @returns its owner, if it came in this term */
  recall(id: TaskId): string | undefined {
    const owner = this.owners.get(id);
    this.owners.delete(id);
    return owner;
  }

  /** A job of that owner with that limit has ended after so many ms. Called in the order of the ends. */
  learn(owner: string, limitMs: number, runMs: number): void {
    this.history.learn(owner, limitMs, runMs);
  }
}
