import { Module } from '@nestjs/common';
import { CONFIG } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { ExecutorsModule } from '../executors/executors.module';
import { InstancesModule } from '../instances/instances.module';
import { TasksModule } from '../tasks/tasks.module';
import { DoubtResolver } from './doubt-resolver';
import { HEALTH_INTERVALS } from './health-intervals';
import { HealthProber } from './health-prober';
import { HostProber } from './host-prober';
import { Housekeeping } from './housekeeping';
import { JobKeeper } from './job-keeper';
import { JobSweeper } from './job-sweeper';
import { JobWatcher } from './job-watcher';
import { ReadinessController } from './readiness.controller';
import { ResultPoller } from './result-poller';
import { SelfCheck } from './self-check';

/** Who is there, what became of what they were given, and what is past its time. */
@Module({
  imports: [InstancesModule, TasksModule, ExecutorsModule],
  controllers: [ReadinessController],
  providers: [
    HealthProber,
    ResultPoller,
    DoubtResolver,
    HostProber,
    JobKeeper,
    JobSweeper,
    JobWatcher,
    Housekeeping,
    SelfCheck,
    {
      provide: HEALTH_INTERVALS,
      inject: [CONFIG],
      useFactory: ({ intervals }: Config) => intervals,
    },
  ],
})
export class HealthModule {}
