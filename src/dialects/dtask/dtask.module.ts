import { Module } from '@nestjs/common';
import { PlacementsModule } from '../../placements/placements.module';
import { DtaskController } from './dtask.controller';

/** The placement protocol over the services. */
@Module({
  imports: [PlacementsModule],
  controllers: [DtaskController],
})
export class DtaskModule {}
