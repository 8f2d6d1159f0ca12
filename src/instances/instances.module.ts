import { Module } from '@nestjs/common';
import { ExecutorsModule } from '../executors/executors.module';
import { InstanceMetrics } from './instance-metrics';
import { InstancesController } from './instances.controller';
import { InstancesFileLoader } from './instances-file.loader';
import { InstancesService } from './instances.service';
import { ReplicasService } from './replicas.service';
import { SpeedKeeper } from './speed-keeper';

/** The instances of the fleet, in memory and in the table. */
@Module({
  imports: [ExecutorsModule],
  controllers: [InstancesController],
  providers: [InstancesService, ReplicasService, InstancesFileLoader, InstanceMetrics, SpeedKeeper],
  exports: [InstancesService],
})
export class InstancesModule {}
