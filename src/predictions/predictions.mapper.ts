import { quantilesOf } from '../core/distribution';
import type { Prediction } from '../core/task';
import type { Plain } from '../http/dto-fields';
import type { PredictionAccuracyDto, PredictionPreviewDto } from './dto/prediction.dto';
import type { InstanceAccuracy } from './prediction-accuracy';

/** @param instanceName null when the instance is no longer in service */
export function accuracyAnswer(
  { model, source, instanceId, accuracy }: InstanceAccuracy,
  instanceName: string | null,
): Plain<PredictionAccuracyDto> {
  const { outcomes, mape, pinballMs, coverage80, bias } = accuracy;
  return {
    ...{ model, source, instance_id: instanceId, instance_name: instanceName },
    ...{ outcomes, mape, pinball_ms: pinballMs, coverage80, bias },
  };
}

/** @param confidence of that source for that model */
export function previewAnswer(
  model: string,
  { method, serviceTime }: Prediction,
  confidence: number,
): Plain<PredictionPreviewDto> {
  const { levels, values } = quantilesOf(serviceTime);
  return {
    model,
    source: method,
    quantiles: levels,
    quantile_predictions: values,
    mean_ms: serviceTime.mean,
    deviation_ms: serviceTime.deviation,
    confidence,
  };
}
