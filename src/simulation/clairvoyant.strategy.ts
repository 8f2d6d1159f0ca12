import { leastTwo, type Candidate, type Choice, type ChoosingStrategy } from '../core/strategy';
import type { PlacementContext } from '../core/strategy';
import { strategyName, type NonEmpty } from '../core/units';

/**
 * Least work left, of predictions that are the truth: the task goes where it will be through first.
 * On equal instances with one slot this is the order of one central line.
 */
export class ClairvoyantStrategy implements ChoosingStrategy {
  readonly name = strategyName('clairvoyant');
  readonly binding = 'early';

  choose(candidates: NonEmpty<Candidate>, { prediction }: PlacementContext): Choice {
    const completion = ({ wait, speed }: Candidate): number =>
      wait.mean + prediction.serviceTime.mean / speed;
    const { best, next } = leastTwo(candidates, completion);
    const reason = 'clairvoyant: least completion';
    return { instanceId: best.instanceId, reason, runnerUp: next?.instanceId };
  }
}
