import { least, type Candidate, type Choice, type ChoosingStrategy } from '../core/strategy';
import { strategyName, type NonEmpty } from '../core/units';

/** Least expected wait, then least error of it, then fewest tasks (contracts/swarmpilot). */
export class ShortestQueueStrategy implements ChoosingStrategy {
  readonly name = strategyName('shortest_queue');
  readonly binding = 'early';

  choose(candidates: NonEmpty<Candidate>): Choice {
    const { instanceId, wait } = least(
      candidates,
      (candidate) => candidate.wait.mean,
      (candidate) => candidate.wait.deviation,
      (candidate) => candidate.occupied + candidate.waiting,
    );
    return { instanceId, reason: `shortest_queue: least wait, ${wait.mean.toFixed(1)} ms` };
  }
}
