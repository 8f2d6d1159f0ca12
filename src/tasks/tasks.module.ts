import { Module } from '@nestjs/common';
import { CONFIG } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { PredictionsModule } from '../predictions/predictions.module';
import { BatchSubmitter } from './batch-submitter';
import { InDoubt } from './in-doubt';
import { Outbox } from './outbox';
import { PayloadCache } from './payload-cache';
import { PayloadReader } from './payload-reader';
import { TaskHistory } from './task-history';
import { ModelTaskList } from './model-task-list';
import { TaskLifecycle } from './task-lifecycle';
import { TaskRecorder } from './task-recorder';
import { TasksController } from './tasks.controller';
import { TASK_DEFAULTS, TasksService, type TaskDefaults } from './tasks.service';

/** The life of a task, from its submission to its history. */
@Module({
  imports: [PredictionsModule],
  controllers: [TasksController],
  providers: [
    TasksService,
    BatchSubmitter,
    TaskLifecycle,
    TaskRecorder,
    TaskHistory,
    ModelTaskList,
    PayloadCache,
    PayloadReader,
    Outbox,
    InDoubt,
    {
      provide: TASK_DEFAULTS,
      inject: [CONFIG],
      useFactory: ({ intervals, retries }: Config): TaskDefaults => ({
        attemptTimeoutMs: intervals.attemptTimeoutMs,
        maxAttempts: retries.maxAttempts,
      }),
    },
  ],
  exports: [
    TasksService,
    BatchSubmitter,
    TaskLifecycle,
    TaskRecorder,
    TaskHistory,
    ModelTaskList,
    PayloadReader,
    Outbox,
    InDoubt,
  ],
})
export class TasksModule {}
