import type { Distribution } from '../core/distribution';
import { ModelPredictor } from './model.predictor';
import type { Features, OnlinePredictor } from './online.predictor';

/** Models beyond this many are predicted by others: their names come from clients. */
const MOST_MODELS = 1_000;

/**
 * Service times learned online from the scheduler's own completed tasks: per model, whichever way
 * to predict has had the least pinball loss lately (regression, or the quantiles of like tasks),
 * with the outer quantiles moved so that 80 % of the outcomes fall inside the 80 % interval. Models
 * do not hear of each other.
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

  /** What was learned of a model, as JSON, for `restore`; undefined of one that nothing was. */
  stateOf(model: string): unknown {
    return this.models.get(model)?.state;
  }

  /** @throws {DamagedStateError} for what no predictor of this version has written */
  restore(model: string, state: unknown): void {
    this.models.set(model, ModelPredictor.from(state));
  }
}
