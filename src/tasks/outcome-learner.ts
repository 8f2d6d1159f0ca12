import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isTerminal, type Change } from '../core/task';
import type { TaskId } from '../core/units';
import { OutcomesRepository } from '../persistence/outcomes.repository';
import type { Features } from '../predictions/online.predictor';
import { featuresOf, LearnedSource } from '../predictions/sources/learned.source';
import type { ChangeListener } from './change-listener';
import { measuredOutcome } from './measured-outcome';
import { PayloadCache } from './payload-cache';

/** Outcomes that are read and learned in one go: some ms. */
const BATCH = 100;
/** Outcomes that wait for what is known of their tasks; what comes above is not learned from. */
const MOST_WAITING = 10_000;

/** An outcome to learn from. */
interface Lesson {
  readonly taskId: TaskId;
  readonly model: string;
  readonly serviceMs: number;
  /** Undefined: nothing in memory knows the task's metadata any more. */
  readonly features: Features | undefined;
}

/**
 * Lets the predictor learn from every task that succeeds, in the order of their ends. Metadata that
 * memory no longer has are read in batches, behind the back of whoever reports.
 */
@Injectable()
export class OutcomeLearner implements ChangeListener, OnModuleDestroy {
  private readonly logger = new Logger(OutcomeLearner.name);
  private waiting: Lesson[] = [];
  private working: Promise<void> | undefined;

  constructor(
    @Inject(LearnedSource)
    private readonly learned: Pick<LearnedSource, 'remember' | 'recall' | 'learn'>,
    @Inject(PayloadCache) private readonly payloads: Pick<PayloadCache, 'get'>,
    @Inject(OutcomesRepository) private readonly outcomes: Pick<OutcomesRepository, 'metadataOf'>,
  ) {}

  told(changes: readonly Change[]): void {
    for (const change of changes) {
      const { task, event } = change;
      if (event.type === 'submitted') this.learned.remember(task.id, task.prediction);
      if (event.to === null || !isTerminal(event.to)) continue;
      const recalled = this.learned.recall(task.id);
      const outcome = measuredOutcome(change);
      if (!outcome) continue;
      const { model, serviceMs } = outcome;
      const features = recalled ?? this.cached(task.id, model);
      this.take({ taskId: task.id, model, serviceMs, features });
    }
  }

  /** What is under way is learned. */
  async onModuleDestroy(): Promise<void> {
    await this.working;
  }

  private cached(id: TaskId, model: string): Features | undefined {
    const payload = this.payloads.get(id);
    return payload && featuresIn(model, payload.metadata);
  }

  private take(lesson: Lesson): void {
    const { features, serviceMs } = lesson;
    if (features && !this.working) this.learned.learn(features, serviceMs);
    else if (this.waiting.length < MOST_WAITING) this.wait(lesson);
  }

  private wait(lesson: Lesson): void {
    this.waiting.push(lesson);
    this.working ??= this.work().finally(() => (this.working = undefined));
  }

  /** Nobody overtakes: what comes meanwhile is learned after it. */
  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      await nextTurn();
      const batch = this.waiting.slice(0, BATCH);
      const features = await this.featuresOf(batch);
      this.waiting = this.waiting.slice(batch.length);
      batch.forEach(({ serviceMs }, index) => {
        const known = features[index];
        if (known) this.learned.learn(known, serviceMs);
      });
    }
  }

  private async featuresOf(batch: readonly Lesson[]): Promise<readonly (Features | undefined)[]> {
    const unknown = batch.filter(({ features }) => features === undefined);
    const metadata = await this.read(unknown.map(({ taskId }) => taskId));
    return batch.map(({ taskId, model, features }) => {
      const text = metadata.get(taskId);
      return features ?? (text === undefined ? undefined : featuresIn(model, text));
    });
  }

  private async read(ids: readonly TaskId[]): Promise<ReadonlyMap<TaskId, string>> {
    try {
      return await this.outcomes.metadataOf(ids);
    } catch (error) {
      this.logger.warn({ msg: `${ids.length} outcomes are not learned from`, error });
      return new Map();
    }
  }
}

function featuresIn(model: string, metadata: string): Features {
  return featuresOf(model, JSON.parse(metadata) as Features['metadata']);
}
