import { Module } from '@nestjs/common';
import { ExecutorsModule } from '../executors/executors.module';
import { TasksModule } from '../tasks/tasks.module';
import { BatchQueueController } from './batch-queue.controller';
import { Dispatcher } from './dispatcher';
import { QueueMetrics } from './queue-metrics';
import { QueueSettingsService } from './queue-settings.service';
import { QueuesController } from './queues.controller';
import { QueuesService } from './queues.service';

/** What waits, and the one that sends it. */
@Module({
  imports: [TasksModule, ExecutorsModule],
  controllers: [QueuesController, BatchQueueController],
  providers: [QueuesService, QueueSettingsService, Dispatcher, QueueMetrics],
  exports: [QueuesService, QueueSettingsService, Dispatcher],
})
export class QueuesModule {}
