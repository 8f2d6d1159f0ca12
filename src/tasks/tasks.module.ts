import { Module, type Type } from '@nestjs/common';
import { CONFIG } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { BatchSubmitter } from './batch-submitter';
import { CHANGE_LISTENERS, type ChangeListener } from './change-listener';
import { InDoubt } from './in-doubt';
import { JobFeedback } from './job-feedback';
import { Outbox } from './outbox';
import { OutcomeLearner } from './outcome-learner';
import { PayloadCache } from './payload-cache';
import { PayloadReader } from './payload-reader';
import { PredictionFeedback } from './prediction-feedback';
import { TaskHistory } from './task-history';
import { TaskIntake } from './task-intake';
import { JobDrafts } from './job-drafts';
import { JobSubmitter } from './job-submitter';
import { JobsService } from './jobs.service';
import { ModelTaskList } from './model-task-list';
import { TaskLifecycle } from './task-lifecycle';
import { TaskList } from './task-list';
import { TaskMetrics } from './task-metrics';
import { TaskRecorder } from './task-recorder';
import { TaskStatistics } from './task-statistics';
import { TasksController } from './tasks.controller';
import { TASK_DEFAULTS, TasksService, type TaskDefaults } from './tasks.service';

/** Everyone who is told what happens to tasks: providers that implement `ChangeListener`. */
const LISTENERS: Type<ChangeListener>[] = [
  PredictionFeedback,
  OutcomeLearner,
  JobFeedback,
  TaskMetrics,
];

/** The life of a task, from its submission to its history. */
@Module({
  controllers: [TasksController],
  providers: [
    TasksService,
    TaskIntake,
    BatchSubmitter,
    JobDrafts,
    JobSubmitter,
    JobsService,
    TaskLifecycle,
    TaskRecorder,
    TaskHistory,
    ModelTaskList,
    TaskList,
    TaskStatistics,
    PayloadCache,
    PayloadReader,
    Outbox,
    InDoubt,
    ...LISTENERS,
    {
      provide: CHANGE_LISTENERS,
      inject: LISTENERS,
      useFactory: (...listeners: ChangeListener[]): readonly ChangeListener[] => listeners,
    },
    {
      provide: TASK_DEFAULTS,
      inject: [CONFIG],
      useFactory: ({ retries }: Config): TaskDefaults => ({ maxAttempts: retries.maxAttempts }),
    },
  ],
  exports: [
    TasksService,
    TaskIntake,
    BatchSubmitter,
    JobSubmitter,
    JobsService,
    TaskLifecycle,
    TaskRecorder,
    TaskHistory,
    ModelTaskList,
    TaskStatistics,
    PayloadReader,
    Outbox,
    InDoubt,
  ],
})
export class TasksModule {}
