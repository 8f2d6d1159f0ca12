import type { Candidate, Choice, ChoosingStrategy } from '../core/strategy';
import { strategyName, type InstanceId, type NonEmpty } from '../core/units';

/** In turn over the instances that are fit, in the order of their ids. */
export class RoundRobinStrategy implements ChoosingStrategy {
  readonly name = strategyName('round_robin');
  readonly binding = 'early';
  private last: InstanceId | undefined;

  choose(candidates: NonEmpty<Candidate>): Choice {
    const ids = candidates.map((candidate) => candidate.instanceId);
    const instanceId = nextIn(ids, this.last) ?? candidates[0].instanceId;
    const following = nextIn(ids, instanceId);
    const runnerUp = following === instanceId ? undefined : following;
    return { instanceId, reason: 'round_robin: its turn', runnerUp };
  }

  placed({ instanceId }: Choice): void {
    this.last = instanceId;
  }
}

/** The least id above that one, else the least of all. */
function nextIn(ids: readonly InstanceId[], after: InstanceId | undefined): InstanceId | undefined {
  let above: InstanceId | undefined;
  let least: InstanceId | undefined;
  for (const id of ids) {
    if (least === undefined || id < least) least = id;
    if (after !== undefined && id > after && (above === undefined || id < above)) above = id;
  }
  return above ?? least;
}
