import { Module } from '@nestjs/common';
import { TasksModule } from '../tasks/tasks.module';
import { PlacementEnds } from './placement-ends';
import { PlacementMetrics } from './placement-metrics';
import { PlacementsService } from './placements.service';
import { WorkerRegister } from './worker-register';
import { WorkersService } from './workers.service';

/** Workers that only ask for placement, and what is placed there. */
@Module({
  imports: [TasksModule],
  providers: [WorkersService, WorkerRegister, PlacementsService, PlacementEnds, PlacementMetrics],
  exports: [WorkersService, PlacementsService],
})
export class PlacementsModule {}
