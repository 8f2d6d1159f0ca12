import { Inject, Injectable } from '@nestjs/common';
import type { Prediction } from '../core/task';
import type { PredictionQuery, PredictionSource } from './prediction-source';

/** Token of the sources, best first. */
export const PREDICTION_SOURCES = Symbol('PredictionSources');

/** Says how long a task will run, and who said so. */
@Injectable()
export class PredictionsService {
  constructor(@Inject(PREDICTION_SOURCES) private readonly sources: readonly PredictionSource[]) {}

  /** The first source that answers; the last one always does. */
  predict(query: PredictionQuery): Prediction {
    for (const source of this.sources) {
      const serviceTime = source.predict(query);
      if (serviceTime) return { serviceTime, method: source.method };
    }
    throw new Error('the last prediction source must answer everything');
  }
}
