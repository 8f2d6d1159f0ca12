import { Module } from '@nestjs/common';
import { TasksModule } from '../tasks/tasks.module';
import { PlacementDrafts } from './placement-drafts';
import { PlacementEnds } from './placement-ends';
import { PlacementMetrics } from './placement-metrics';
import { PlacementsService } from './placements.service';
import { WaitingClients } from './waiting-clients';
import { WorkerRegister } from './worker-register';
import { WorkersService } from './workers.service';

/** Workers that only ask for placement, and what is placed there. */
@Module({
  imports: [TasksModule],
  providers: [
    WorkersService,
    WorkerRegister,
    PlacementsService,
    PlacementDrafts,
    PlacementEnds,
    PlacementMetrics,
    WaitingClients,
  ],
  exports: [WorkersService, PlacementsService],
})
export class PlacementsModule {}
