import { Logger } from '@nestjs/common';
import {
  isRanked,
  type Binding,
  type Candidate,
  type Choice,
  type ChoosingStrategy,
  type PlacementContext,
  type PlacementStrategy,
  type RankedStrategy,
  type Standing,
} from '../core/strategy';
import type { InstanceId, NonEmpty, StrategyName } from '../core/units';

/**
 * A strategy that somebody else wrote, made harmless: when it throws, or answers what was not
 * offered, the first candidate is taken (or the instance ranked last), and the log says so once.
 */
export function guard(strategy: PlacementStrategy): PlacementStrategy {
  return isRanked(strategy) ? new GuardedRanking(strategy) : new GuardedChoice(strategy);
}

class Complaint {
  private made = false;

  constructor(private readonly name: string) {}

  /** Later ones are no news. */
  make(what: string): void {
    if (!this.made) new Logger('Strategy').error(`strategy ${this.name} ${what}`);
    this.made = true;
  }
}

class GuardedRanking implements RankedStrategy {
  readonly name: StrategyName;
  readonly binding: Binding;
  private readonly complaint: Complaint;

  constructor(private readonly strategy: RankedStrategy) {
    this.name = strategy.name;
    this.binding = strategy.binding;
    this.complaint = new Complaint(strategy.name);
  }

  rank(standing: Standing): number {
    try {
      const rank: unknown = this.strategy.rank(standing);
      if (typeof rank === 'number' && !Number.isNaN(rank)) return rank;
      this.complaint.make(`ranked an instance ${String(rank)}, which is no number`);
    } catch (error) {
      this.complaint.make(`failed: ${String(error)}`);
    }
    return Number.MAX_VALUE;
  }
}

class GuardedChoice implements ChoosingStrategy {
  readonly name: StrategyName;
  readonly binding: Binding;
  private readonly complaint: Complaint;

  constructor(private readonly strategy: ChoosingStrategy) {
    this.name = strategy.name;
    this.binding = strategy.binding;
    this.complaint = new Complaint(strategy.name);
  }

  choose(candidates: NonEmpty<Candidate>, context: PlacementContext): Choice {
    const choice = this.attempt(candidates, context);
    const instanceId = offered(candidates, choice?.instanceId);
    if (instanceId !== undefined) {
      const other = offered(candidates, choice?.runnerUp);
      const runnerUp = other === instanceId ? undefined : other;
      return { instanceId, reason: String(choice?.reason), runnerUp };
    }
    const reason = `${this.name} did not choose one of the candidates; the first one is taken`;
    this.complaint.make('did not choose one of the candidates; the first one is taken');
    return { instanceId: candidates[0].instanceId, reason };
  }

  placed(choice: Choice): void {
    try {
      this.strategy.placed?.(choice);
    } catch (error) {
      this.complaint.make(`failed: ${String(error)}`);
    }
  }

  private attempt(
    candidates: NonEmpty<Candidate>,
    context: PlacementContext,
  ): Partial<Choice> | undefined {
    try {
      return this.strategy.choose(candidates, context);
    } catch (error) {
      this.complaint.make(`failed: ${String(error)}`);
      return undefined;
    }
  }
}

/** The id, if it is the one of a candidate. */
function offered(
  candidates: NonEmpty<Candidate>,
  id: InstanceId | undefined,
): InstanceId | undefined {
  return candidates.find(({ instanceId }) => instanceId === id)?.instanceId;
}
