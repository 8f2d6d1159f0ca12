import { leastTwo, type Candidate, type Choice, type ChoosingStrategy } from '../core/strategy';
import { strategyName, type NonEmpty } from '../core/units';

/** Least expected wait, then least error of it, then fewest tasks (contracts/swarmpilot). */
export class ShortestQueueStrategy implements ChoosingStrategy {
  readonly name = strategyName('shortest_queue');
  readonly binding = 'early';

  choose(candidates: NonEmpty<Candidate>): Choice {
    const { best, cost, next } = leastTwo(
      candidates,
      (candidate) => candidate.wait.mean,
      (candidate) => candidate.wait.deviation,
      (candidate) => candidate.occupied + candidate.waiting,
    );
    const reason = `shortest_queue: least wait, ${cost.toFixed(1)} ms`;
    return { instanceId: best.instanceId, reason, runnerUp: next?.instanceId };
  }
}
