import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { queueName } from '../core/queue';
import type { Change } from '../core/task';
import { TasksRepository } from '../persistence/tasks.repository';
import { PredictionAccuracy } from '../predictions/prediction-accuracy';
import type { ChangeListener } from './change-listener';

/** Finished tasks that are looked back at when a term begins: 200 each of 25 models. */
const LOOKED_BACK_AT = 5_000;

/** Holds what was predicted of a task against how long it ran. */
@Injectable()
export class PredictionFeedback implements ChangeListener, OnModuleInit {
  constructor(
    @Inject(PredictionAccuracy) private readonly accuracy: Pick<PredictionAccuracy, 'observe'>,
    @Inject(TasksRepository) private readonly tasks: Pick<TasksRepository, 'recentOutcomes'>,
  ) {}

  /** Takes up what happened in earlier terms. */
  async onModuleInit(): Promise<void> {
    for (const outcome of await this.tasks.recentOutcomes(LOOKED_BACK_AT)) {
      this.accuracy.observe(outcome);
    }
  }

  /** An attempt without a running time, or with one that cannot be, says nothing. */
  told(changes: readonly Change[]): void {
    for (const { task, attempts, event } of changes) {
      if (event.type !== 'succeeded' || task.kind !== 'model') continue;
      const { executionMs = null, speed = 1 } = attempts.at(-1) ?? {};
      if (executionMs === null) continue;
      const { method, serviceTime } = task.prediction;
      const model = queueName(task.queue);
      this.accuracy.observe({ model, method, serviceTime, actualMs: executionMs * speed });
    }
  }
}
