import type { Candidate, Choice, ChoosingStrategy } from '../core/strategy';
import { strategyName, type InstanceId, type NonEmpty } from '../core/units';

/** In turn over the instances that are fit, in the order of their ids. */
export class RoundRobinStrategy implements ChoosingStrategy {
  readonly name = strategyName('round_robin');
  readonly binding = 'early';
  private last: InstanceId | undefined;

  choose(candidates: NonEmpty<Candidate>): Choice {
    const ids = candidates.map((candidate) => candidate.instanceId).sort();
    const { last } = this;
    const next = last === undefined ? undefined : ids.find((id) => id > last);
    const instanceId = next ?? ids[0] ?? candidates[0].instanceId;
    return { instanceId, reason: 'round_robin: its turn' };
  }

  placed({ instanceId }: Choice): void {
    this.last = instanceId;
  }
}
