import { Module } from '@nestjs/common';
import { CONFIG, configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { parseNetworks } from '../config/networks';
import { JobPlaces } from '../ops/job-places';
import { OWN_ENDPOINTS, type OwnEndpoint } from '../ops/own-endpoints';
import { addressRule } from './address-rule';
import { EXECUTOR } from './executor';
import { ExecutorRouter } from './executor-router';
import { HostExecutor } from './host.executor';
import { JobHosts } from './job-hosts';
import { JOB_USER, jobUserOf } from './job-user';
import { TaskInstanceClients } from './task-instance.clients';
import { TaskInstanceExecutor } from './task-instance.executor';
import { TASK_INSTANCE_OPTIONS, type TaskInstanceOptions } from './task-instance.options';

/** Calls to the workers, the way to the hosts, and the executor that hands them their attempts. */
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
    TaskInstanceExecutor,
    {
      provide: JOB_USER,
      inject: [configOf('commands'), JobPlaces],
      useFactory: (commands: Config['commands'], { roots }: JobPlaces) =>
        jobUserOf(commands, roots[0]),
    },
    JobHosts,
    HostExecutor,
    { provide: EXECUTOR, useClass: ExecutorRouter },
  ],
  exports: [EXECUTOR, TaskInstanceClients, JobHosts],
})
export class ExecutorsModule {}
