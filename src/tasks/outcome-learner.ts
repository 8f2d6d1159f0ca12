import {
  Inject,
  Injectable,
  Logger,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isTerminal, type Change } from '../core/task';
import type { TaskId } from '../core/units';
import { OutcomesRepository, type TimeSpan } from '../persistence/outcomes.repository';
import { LearnedModels } from '../predictions/learned-models.service';
import type { Features } from '../predictions/online.predictor';
import { featuresOf, LearnedSource } from '../predictions/sources/learned.source';
import type { ChangeListener } from './change-listener';
import { measuredOutcome } from './measured-outcome';
import { PayloadCache } from './payload-cache';

/** Outcomes that are read and learned in one go: some ms. */
const BATCH = 100;
/** Outcomes that wait for what is known of their tasks; what comes above is not learned from. */
const MOST_WAITING = 10_000;
/** Tasks that ended before this term and are looked back at, at most. */
const LOOKED_BACK_AT = 20_000;

/** An outcome to learn from. */
interface Lesson {
  readonly taskId: TaskId;
  readonly model: string;
  readonly serviceMs: number;
  /** When the task ended, in Unix ms. */
  readonly finishedMs: number;
  /** Undefined: nothing in memory knows the task's metadata any more. */
  readonly features: Features | undefined;
}

/**
 * Lets the predictor learn from every task that succeeds, in the order of their ends: first from
 * those that ended in earlier terms and are not known yet, then from what comes. Metadata that
 * memory no longer has are read in batches, behind the back of whoever reports.
 */
@Injectable()
export class OutcomeLearner implements ChangeListener, OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(OutcomeLearner.name);
  private waiting: Lesson[] = [];
  private working: Promise<void> | undefined;
  private stopped = false;

  constructor(
    @Inject(LearnedSource) private readonly source: Pick<LearnedSource, 'remember' | 'recall'>,
    @Inject(LearnedModels)
    private readonly models: Pick<LearnedModels, 'restore' | 'knows' | 'learn' | 'save'>,
    @Inject(PayloadCache) private readonly payloads: Pick<PayloadCache, 'get'>,
    @Inject(OutcomesRepository)
    private readonly outcomes: Pick<OutcomesRepository, 'metadataOf' | 'newestEnds' | 'finishedIn'>,
  ) {}

  /** What was written down counts from the first submission on, the rest as soon as it is learned. */
  async onModuleInit(): Promise<void> {
    const since = await this.models.restore();
    const newest = await this.outcomes.newestEnds(LOOKED_BACK_AT);
    if (!newest) return;
    this.begin({ ...newest, afterMs: Math.max(since, newest.afterMs) });
  }

  /** What is under way is learned, and everything is written down. */
  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    await this.working;
    await this.models.save();
  }

  told(changes: readonly Change[]): void {
    for (const change of changes) {
      const { task, event } = change;
      if (event.type === 'submitted') this.source.remember(task.id, task.prediction);
      if (event.to === null || !isTerminal(event.to)) continue;
      const recalled = this.source.recall(task.id);
      const outcome = measuredOutcome(change);
      if (!outcome) continue;
      const { model, serviceMs, finishedMs } = outcome;
      const features = recalled ?? this.cached(task.id, model);
      this.take({ taskId: task.id, model, serviceMs, finishedMs, features });
    }
  }

  private cached(id: TaskId, model: string): Features | undefined {
    const payload = this.payloads.get(id);
    return payload && featuresIn(model, payload.metadata);
  }

  private take(lesson: Lesson): void {
    const { features, serviceMs, finishedMs } = lesson;
    if (features && !this.working) {
      this.models.learn(features, serviceMs, finishedMs);
    } else if (this.waiting.length < MOST_WAITING) {
      this.waiting.push(lesson);
      this.begin();
    }
  }

  /** @param history what is learned before everything else */
  private begin(history?: TimeSpan): void {
    this.working ??= this.work(history);
  }

  /** Nobody overtakes: what comes meanwhile is learned after it. */
  private async work(history: TimeSpan | undefined): Promise<void> {
    try {
      if (history) await this.learnHistory(history);
      while (this.waiting.length > 0) await this.learnBatch();
    } finally {
      // In the same turn as the last look at those that wait: who comes after it is not forgotten.
      this.working = undefined;
    }
  }

  private async learnBatch(): Promise<void> {
    await nextTurn();
    const batch = this.waiting.slice(0, BATCH);
    const features = await this.featuresOf(batch);
    this.waiting = this.waiting.slice(batch.length);
    batch.forEach(({ serviceMs, finishedMs }, index) => {
      const known = features[index];
      if (known) this.models.learn(known, serviceMs, finishedMs);
    });
  }

  private async learnHistory(span: TimeSpan): Promise<void> {
    try {
      for await (const page of this.outcomes.finishedIn(span)) {
        for (const { model, metadata, finishedMs, actualMs } of page) {
          if (this.models.knows(model, finishedMs)) continue;
          this.models.learn(featuresIn(model, metadata), actualMs, finishedMs);
        }
        await nextTurn();
        if (this.stopped) {
          // The next term begins where this one ended: nothing newer may count as known.
          this.waiting = [];
          return;
        }
      }
    } catch (error) {
      this.logger.warn({ msg: 'not all of the history could be learned from', error });
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
