import { Module } from '@nestjs/common';
import { InstancesModule } from '../../instances/instances.module';
import { TasksModule } from '../../tasks/tasks.module';
import { AprHealthController } from './health.controller';
import { HostsController } from './hosts.controller';
import { JobsController } from './jobs.controller';
import { AprMetricsController } from './metrics.controller';

/** The APR batch protocol over the services. */
@Module({
  imports: [InstancesModule, TasksModule],
  controllers: [AprHealthController, HostsController, JobsController, AprMetricsController],
})
export class AprModule {}
