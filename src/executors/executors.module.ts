import { Module } from '@nestjs/common';
import { CONFIG } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { parseNetworks } from '../config/networks';
import { OWN_ENDPOINTS, type OwnEndpoint } from '../ops/own-endpoints';
import { addressRule } from './address-rule';
import { EXECUTOR } from './executor';
import { TaskInstanceClients } from './task-instance.clients';
import { TaskInstanceExecutor } from './task-instance.executor';
import { TASK_INSTANCE_OPTIONS, type TaskInstanceOptions } from './task-instance.options';

/** Calls to the workers, and the executor that hands them their attempts. */
@Module({
  providers: [
    {
      provide: TASK_INSTANCE_OPTIONS,
      inject: [CONFIG, OWN_ENDPOINTS],
      useFactory: (
        { intervals, limits, instances }: Config,
        own: readonly OwnEndpoint[],
      ): Partial<TaskInstanceOptions> => ({
        connectMs: intervals.connectMs,
        enqueueMs: intervals.enqueueMs,
        resultLimitBytes: limits.resultLimitBytes,
        addressRule: addressRule(parseNetworks(instances.workerNetworks), own),
      }),
    },
    TaskInstanceClients,
    { provide: EXECUTOR, useClass: TaskInstanceExecutor },
  ],
  exports: [EXECUTOR, TaskInstanceClients],
})
export class ExecutorsModule {}
