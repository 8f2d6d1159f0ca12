import { Module } from '@nestjs/common';
import { PredictorController } from './predictor.controller';

/** The predictor's interface over the predictions. */
@Module({ controllers: [PredictorController] })
export class PredictorModule {}
