import type { Candidate, Choice, ChoosingStrategy, PlacementContext } from '../core/strategy';
import { strategyName, type NonEmpty } from '../core/units';

/**
 * Draws one wait per instance from its wait distribution and takes the least: instances that are
 * likely to be the shortest are likely to be chosen (contracts/swarmpilot).
 */
export class ProbabilisticStrategy implements ChoosingStrategy {
  readonly name = strategyName('probabilistic');
  readonly binding = 'early';

  choose(candidates: NonEmpty<Candidate>, { random }: PlacementContext): Choice {
    let best = candidates[0];
    let least = Number.POSITIVE_INFINITY;
    for (const candidate of candidates) {
      const draw = candidate.wait.sample(random);
      if (draw >= least) continue;
      best = candidate;
      least = draw;
    }
    return {
      instanceId: best.instanceId,
      reason: `probabilistic: least drawn wait, ${least.toFixed(1)} ms`,
    };
  }
}
