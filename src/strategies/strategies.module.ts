import { Module } from '@nestjs/common';
import { StrategiesService } from './strategies.service';

/** Choosing between placement strategies. */
@Module({ providers: [StrategiesService], exports: [StrategiesService] })
export class StrategiesModule {}
