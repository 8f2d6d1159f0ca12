import { Module } from '@nestjs/common';
import { InstancesModule } from '../../instances/instances.module';
import { QueuesModule } from '../../queues/queues.module';
import { TasksModule } from '../../tasks/tasks.module';
import { HealthController } from './health.controller';
import { NotifyController } from './notify.controller';
import { QueueController } from './queue.controller';
import { ResultController } from './result.controller';
import { SchedulerController } from './scheduler.controller';
import { TaskController } from './task.controller';
import { TiController } from './ti.controller';

/** The SwarmPilot protocol over the services. */
@Module({
  imports: [InstancesModule, QueuesModule, TasksModule],
  controllers: [
    TiController,
    QueueController,
    TaskController,
    NotifyController,
    ResultController,
    SchedulerController,
    HealthController,
  ],
})
export class SwarmpilotModule {}
