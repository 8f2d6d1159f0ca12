import { VERSION } from '../../config/version';
import { quantilesOf } from '../../core/distribution';
import type { Prediction } from '../../core/task';
import type { Plain } from '../../http/dto-fields';
import type { LookupStatus } from '../../predictions/lookup-reloader';
import type { KnownModel } from '../../predictions/lookup-table';
import type { PredictionMode } from '../../predictions/prediction-mode.service';
import type { PredictionQuery } from '../../predictions/prediction-source';
import type { RemoteState } from '../../predictions/sources/remote.source';
import type { PredictorHealthDto } from './dto/health.dto';
import type { ModelsAnswerDto } from './dto/models.dto';
import type { NothingKnownDto, PredictAnswerDto, PredictDto } from './dto/predict.dto';

/** @param via the services that the question has passed, as its header says */
export function toQuery(
  { model_type: model, metadata }: Plain<PredictDto>,
  via = '',
): PredictionQuery {
  return { model, metadata, via };
}

/** @param confidence of this source and model, by its method */
export function predicted(
  { model }: PredictionQuery,
  prediction: Prediction | undefined,
  confidence: (method: string) => number,
): Plain<PredictAnswerDto> | Plain<NothingKnownDto> {
  if (!prediction) {
    const message = `nothing is known of model ${JSON.stringify(model)} with this metadata`;
    return { status: 'error', message };
  }
  const { method, serviceTime } = prediction;
  const { levels, values } = quantilesOf(serviceTime);
  return {
    status: 'success',
    message: null,
    model_type: model,
    quantiles: levels,
    quantile_predictions: values,
    prediction_method: method,
    confidence: confidence(method),
  };
}

/** What the state of the predictor is made from. */
export interface PredictorState {
  readonly totalModels: number;
  readonly mode: PredictionMode;
  readonly remote: RemoteState;
  readonly lookup: LookupStatus | null;
}

/** How the predictor is. */
export function predictorHealth(state: PredictorState): Plain<PredictorHealthDto> {
  const { totalModels, mode, remote, lookup } = state;
  return {
    status: 'healthy',
    service: 'predictor',
    version: VERSION,
    total_models: totalModels,
    mode,
    remote,
    lookup: lookup && {
      records: lookup.records,
      loaded_at: lookup.loadedAt.toISOString(),
      fault: lookup.fault,
    },
  };
}

/** @param count of the predictions of a model type */
export function modelList(
  models: readonly KnownModel[],
  count: (modelType: string) => number,
): Plain<ModelsAnswerDto> {
  return {
    status: 'success',
    models: models.map(({ modelType, modelName, hardwareTypes, softwareVersions }) => ({
      model_type: modelType,
      model_name: modelName ?? modelType,
      total_predictions: count(modelType),
      hardware_types: hardwareTypes,
      software_versions: softwareVersions,
    })),
  };
}
