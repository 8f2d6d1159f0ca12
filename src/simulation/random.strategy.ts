import type { Candidate, Choice, ChoosingStrategy, PlacementContext } from '../core/strategy';
import { strategyName, type NonEmpty } from '../core/units';

/** Any instance, each as likely: what every strategy should be better than. */
export class RandomStrategy implements ChoosingStrategy {
  readonly name = strategyName('random');
  readonly binding = 'early';

  choose(candidates: NonEmpty<Candidate>, { random }: PlacementContext): Choice {
    const drawn = candidates[Math.floor(random.next() * candidates.length)] ?? candidates[0];
    return { instanceId: drawn.instanceId, reason: 'random' };
  }
}
