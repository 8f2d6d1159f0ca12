import type { Distribution } from '../core/distribution';
import type { InstanceId } from '../core/units';
import { OutcomeScores, type Accuracy } from './outcome-scores';

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

/** What a source said of a model's tasks that ran on one instance, and how it held. */
export interface InstanceAccuracy {
  readonly model: string;
  readonly source: string;
  readonly instanceId: InstanceId;
  readonly accuracy: Accuracy;
}

/** Which of them; what is absent is not asked. */
export interface AccuracyFilter {
  readonly model?: string;
  readonly source?: string;
  readonly instanceId?: InstanceId;
}

/** Place in the list: it is ordered by these. */
export type AccuracyKey = readonly [model: string, source: string, instanceId: string];

/** The scores of one source for one model, at one instance or anywhere. */
interface Followed {
  readonly model: string;
  readonly source: string;
  readonly instanceId: InstanceId | null;
  readonly scores: OutcomeScores;
}

/** Below so many nothing can be said. */
const FEWEST = 20;
const UNDECIDED = 0.5;
/** Followed at once, each some KiB; above it the one that was quiet longest goes. */
const MOST_FOLLOWED = 10_000;

/** How often the predictions of each source held, model by model and instance by instance. */
export class PredictionAccuracy {
  private readonly anywhere = new QuietestGo();
  private readonly byInstance = new QuietestGo();

  observe({ model, method: source, instanceId, serviceTime, actualMs }: PredictedOutcome): void {
    this.anywhere.of(model, source, null).add(serviceTime, actualMs);
    this.byInstance.of(model, source, instanceId).add(serviceTime, actualMs);
  }

  /**
   * The share of the last 200 outcomes of this source and model that were inside its 80 % interval;
   * 0.5 before 20 of them.
   */
  confidence(method: string, model: string): number {
    const scores = this.anywhere.find(model, method, null)?.scores;
    return scores === undefined || scores.count < FEWEST ? UNDECIDED : scores.coverage80;
  }

  /** Each over its last 200 outcomes, ordered by model, source and instance. */
  list(
    { model, source, instanceId }: AccuracyFilter,
    behind: AccuracyKey | undefined,
    limit: number,
  ): readonly InstanceAccuracy[] {
    return [...this.byInstance.all()]
      .filter((one) => model === undefined || one.model === model)
      .filter((one) => source === undefined || one.source === source)
      .filter((one) => instanceId === undefined || one.instanceId === instanceId)
      .filter((one) => behind === undefined || compare(keyOf(one), behind) > 0)
      .sort((a, b) => compare(keyOf(a), keyOf(b)))
      .slice(0, limit)
      .flatMap(shown);
  }

  /** True when something ran there that is followed. */
  knowsInstance(id: string): boolean {
    return [...this.byInstance.all()].some(({ instanceId }) => instanceId === id);
  }

  /** The scores of every source, model by model, wherever the tasks ran. */
  *scores(): Generator<readonly [model: string, source: string, scores: OutcomeScores]> {
    for (const { model, source, scores } of this.anywhere.all()) yield [model, source, scores];
  }
}

/** Scores by what they belong to, the quietest first. */
class QuietestGo {
  private readonly followed = new Map<string, Followed>();

  find(model: string, source: string, instanceId: InstanceId | null): Followed | undefined {
    return this.followed.get(nameOf(model, source, instanceId));
  }

  all(): Iterable<Followed> {
    return this.followed.values();
  }

  /** To add to them: they are the last to go now. */
  of(model: string, source: string, instanceId: InstanceId | null): OutcomeScores {
    const name = nameOf(model, source, instanceId);
    const known = this.followed.get(name);
    const one = known ?? { model, source, instanceId, scores: new OutcomeScores() };
    this.followed.delete(name);
    this.followed.set(name, one);
    this.letGoOfQuietest();
    return one.scores;
  }

  private letGoOfQuietest(): void {
    if (this.followed.size <= MOST_FOLLOWED) return;
    for (const name of this.followed.keys()) {
      this.followed.delete(name);
      return;
    }
  }
}

/** Names of sources and ids of instances hold no slash. */
function nameOf(model: string, source: string, instanceId: InstanceId | null): string {
  return `${source}/${instanceId ?? ''}/${model}`;
}

function keyOf({ model, source, instanceId }: Followed): AccuracyKey {
  return [model, source, instanceId ?? ''];
}

function compare(a: AccuracyKey, b: AccuracyKey): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  if (at < 0) return 0;
  return (a[at] ?? '') < (b[at] ?? '') ? -1 : 1;
}

function shown({ model, source, instanceId, scores }: Followed): readonly InstanceAccuracy[] {
  const accuracy = OutcomeScores.accuracyOf([scores]);
  return accuracy && instanceId !== null ? [{ model, source, instanceId, accuracy }] : [];
}
