import { Module } from '@nestjs/common';
import { CONFIG } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { EXECUTOR } from './executor';
import { TaskInstanceClients } from './task-instance.clients';
import { TaskInstanceExecutor } from './task-instance.executor';
import { TASK_INSTANCE_OPTIONS, type TaskInstanceOptions } from './task-instance.options';

/** Calls to the workers, and the executor that hands them their attempts. */
@Module({
  providers: [
    {
      provide: TASK_INSTANCE_OPTIONS,
      inject: [CONFIG],
      useFactory: ({ intervals, limits }: Config): Partial<TaskInstanceOptions> => ({
        connectMs: intervals.connectMs,
        enqueueMs: intervals.enqueueMs,
        resultLimitBytes: limits.resultLimitBytes,
      }),
    },
    TaskInstanceClients,
    { provide: EXECUTOR, useClass: TaskInstanceExecutor },
  ],
  exports: [EXECUTOR, TaskInstanceClients],
})
export class ExecutorsModule {}
