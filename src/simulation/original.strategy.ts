import type { Candidate, Choice, ChoosingStrategy, PlacementContext } from '../core/strategy';
import { strategyName, type InstanceId, type NonEmpty } from '../core/units';

/**
 * `shortest_queue` as the original accounted for it: a task's predicted time is added when it is
 * bound, its actual time is subtracted when it ends, and the difference is cut off at 0. The two
 * never cancel, so the figures drift away from what there is to do.
 */
export class OriginalStrategy implements ChoosingStrategy {
  readonly name = strategyName('original');
  readonly binding = 'early';
  private readonly expected = new Map<InstanceId, number>();
  private predictedMs = 0;

  choose(candidates: NonEmpty<Candidate>, { prediction }: PlacementContext): Choice {
    this.predictedMs = prediction.serviceTime.mean;
    const [first, ...others] = candidates;
    let best = first.instanceId;
    for (const { instanceId } of others) {
      if (this.expectedOn(instanceId) < this.expectedOn(best)) best = instanceId;
    }
    return { instanceId: best, reason: 'original: least expected by its own count' };
  }

  placed({ instanceId }: Choice): void {
    this.expected.set(instanceId, this.expectedOn(instanceId) + this.predictedMs);
  }

  ended(on: InstanceId, actualMs: number): void {
    this.expected.set(on, Math.max(0, this.expectedOn(on) - actualMs));
  }

  private expectedOn(id: InstanceId): number {
    return this.expected.get(id) ?? 0;
  }
}
