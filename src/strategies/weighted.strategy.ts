import { leastTwo, type Candidate, type Choice, type ChoosingStrategy } from '../core/strategy';
import { strategyName, type NonEmpty } from '../core/units';

/** Least `expected wait + w × its deviation`: prefers the instance whose wait is surer. */
export class WeightedStrategy implements ChoosingStrategy {
  readonly name = strategyName('weighted');
  readonly binding = 'early';

  /** @param errorWeight w, 0 to 1 */
  constructor(private readonly errorWeight = 0.5) {}

  choose(candidates: NonEmpty<Candidate>): Choice {
    const { best, cost, next } = leastTwo(
      candidates,
      ({ wait }) => wait.mean + this.errorWeight * wait.deviation,
    );
    const reason = `weighted: least weighted wait, ${cost.toFixed(1)} ms`;
    return { instanceId: best.instanceId, reason, runnerUp: next?.instanceId };
  }
}
