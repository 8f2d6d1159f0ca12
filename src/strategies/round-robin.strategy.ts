import { firstTwo, type Candidate, type Choice, type ChoosingStrategy } from '../core/strategy';
import { strategyName, type InstanceId, type NonEmpty } from '../core/units';

/** In turn over the instances that are fit, in the order of their ids. */
export class RoundRobinStrategy implements ChoosingStrategy {
  readonly name = strategyName('round_robin');
  readonly binding = 'early';
  private last: InstanceId | undefined;

  choose(candidates: NonEmpty<Candidate>): Choice {
    const [{ instanceId }, next] = firstTwo(candidates, (a, b) => this.isBefore(a, b));
    return { instanceId, reason: 'round_robin: its turn', runnerUp: next?.instanceId };
  }

  placed({ instanceId }: Choice): void {
    this.last = instanceId;
  }

  /** Whoever has had no turn in this round comes first. */
  private isBefore({ instanceId: a }: Candidate, { instanceId: b }: Candidate): boolean {
    const { last } = this;
    if (last === undefined || a > last === b > last) return a < b;
    return a > last;
  }
}
