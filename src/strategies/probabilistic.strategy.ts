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
    const draws = new Map(candidates.map((one) => [one, one.wait.sample(random)]));
    const drawn = (candidate: Candidate): number => draws.get(candidate) ?? 0;
    const [best, next] = leastTwo(candidates, drawn);
    const reason = `probabilistic: least drawn wait, ${drawn(best).toFixed(1)} ms`;
    return { instanceId: best.instanceId, reason, runnerUp: next?.instanceId };
  }
}
