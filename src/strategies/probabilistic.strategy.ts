import {
  leastTwo,
  type Candidate,
  type Choice,
  type ChoosingStrategy,
  type PlacementContext,
} from '../core/strategy';
import { strategyName, type NonEmpty } from '../core/units';

/**
 * Draws one wait per instance from its wait distribution and takes the least: instances that are
 * likely to be the shortest are likely to be chosen (contracts/swarmpilot).
 */
export class ProbabilisticStrategy implements ChoosingStrategy {
  readonly name = strategyName('probabilistic');
  readonly binding = 'early';

  choose(candidates: NonEmpty<Candidate>, { random }: PlacementContext): Choice {
    const { best, cost, next } = leastTwo(candidates, ({ wait }) => wait.sample(random));
    const reason = `probabilistic: least drawn wait, ${cost.toFixed(1)} ms`;
    return { instanceId: best.instanceId, reason, runnerUp: next?.instanceId };
  }
}
