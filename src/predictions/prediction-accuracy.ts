import { rangeOf, type Distribution } from '../core/distribution';
import type { InstanceId } from '../core/units';

/** What was said of a task, and what happened. */
export interface PredictedOutcome {
  readonly model: string;
  /** The source that was believed. */
  readonly method: string;
  /** Where it ran. */
  readonly instanceId: InstanceId;
  /** As it was predicted, at speed 1. */
  readonly serviceTime: Distribution;
  /** As it was, at speed 1, in ms. */
  readonly actualMs: number;
}

/** Outcomes that count (contracts/predictor.md). */
const REMEMBERED = 200;
/** Below so many nothing can be said. */
const FEWEST = 20;
const UNDECIDED = 0.5;
/** The interval whose promise is kept or broken. */
const INTERVAL = 0.8;
/** Pairs of source and model that are followed; above it the one that was quiet longest goes. */
const MOST_FOLLOWED = 10_000;

/** How often the predictions of each source held, model by model. */
export class PredictionAccuracy {
  /** Quietest first. */
  private readonly followed = new Map<string, Verdicts>();

  observe({ model, method, serviceTime, actualMs }: PredictedOutcome): void {
    const { lowMs, highMs } = rangeOf(serviceTime, INTERVAL);
    const key = keyOf(method, model);
    const verdicts = this.followed.get(key) ?? new Verdicts();
    verdicts.add(lowMs <= actualMs && actualMs <= highMs);
    this.followed.delete(key);
    this.followed.set(key, verdicts);
    this.letGoOfQuietest();
  }

  /**
   * The share of the last 200 outcomes of this source and model that were inside its 80 % interval;
   * 0.5 before 20 of them.
   */
  confidence(method: string, model: string): number {
    const verdicts = this.followed.get(keyOf(method, model));
    return verdicts === undefined || verdicts.count < FEWEST ? UNDECIDED : verdicts.share;
  }

  private letGoOfQuietest(): void {
    if (this.followed.size <= MOST_FOLLOWED) return;
    for (const key of this.followed.keys()) {
      this.followed.delete(key);
      return;
    }
  }
}

/** The last verdicts, in a ring. */
class Verdicts {
  count = 0;
  private kept = 0;
  private next = 0;
  private readonly ring = new Uint8Array(REMEMBERED);

  get share(): number {
    return this.kept / this.count;
  }

  add(holds: boolean): void {
    this.kept += Number(holds) - (this.ring[this.next] ?? 0);
    this.ring[this.next] = Number(holds);
    this.next = (this.next + 1) % REMEMBERED;
    this.count = Math.min(REMEMBERED, this.count + 1);
  }
}

/** Names of sources hold no slash. */
function keyOf(method: string, model: string): string {
  return `${method}/${model}`;
}
