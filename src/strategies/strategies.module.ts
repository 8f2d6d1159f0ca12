import { Module } from '@nestjs/common';
import { StrategiesController } from './strategies.controller';

/** The placement strategies, for whoever wants to choose one. */
@Module({ controllers: [StrategiesController] })
export class StrategiesModule {}
