import { Module } from '@nestjs/common';
import { ExecutorsModule } from '../executors/executors.module';
import { HostsService } from './hosts.service';
import { InstanceMetrics } from './instance-metrics';
import { InstancesController } from './instances.controller';
import { InstancesFileLoader } from './instances-file.loader';
import { InstancesService } from './instances.service';
import { JobLogs } from './job-logs';
import { LicencePoolsController } from './licence-pools.controller';
import { LicencePoolsService } from './licence-pools.service';
import { ReplicasService } from './replicas.service';
import { SpeedKeeper } from './speed-keeper';
import { StatusKeeper } from './status-keeper';

/** The instances of the fleet, in memory and in the table. */
@Module({
  imports: [ExecutorsModule],
  controllers: [InstancesController, LicencePoolsController],
  providers: [
    InstancesService,
    StatusKeeper,
    ReplicasService,
    InstancesFileLoader,
    InstanceMetrics,
    SpeedKeeper,
    HostsService,
    JobLogs,
    LicencePoolsService,
  ],
  exports: [InstancesService, StatusKeeper, HostsService, JobLogs],
})
export class InstancesModule {}
