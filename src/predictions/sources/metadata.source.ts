import type { Distribution } from '../../core/distribution';
import { readDuration, readQuantiles } from '../quantile-input';
import type { PredictionQuery, PredictionSource } from '../prediction-source';

/**
 * The client's own prediction: `metadata.quantiles` with `metadata.quantile_predictions`, or
 * `metadata.predicted_ms`. What cannot be read as one is no prediction; the task is taken all the
 * same, and the next source is asked.
 */
export class MetadataSource implements PredictionSource {
  readonly method = 'metadata';

  predict({ metadata }: PredictionQuery): Distribution | undefined {
    if (Object.hasOwn(metadata, 'quantiles')) {
      const reading = readQuantiles(metadata['quantiles'], metadata['quantile_predictions']);
      if ('distribution' in reading) return reading.distribution;
    }
    if (!Object.hasOwn(metadata, 'predicted_ms')) return undefined;
    return readDuration(metadata['predicted_ms']);
  }
}
