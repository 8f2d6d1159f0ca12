import { Body, Controller, Get, Headers, Post } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { VERSION } from '../../config/version';
import type { Plain } from '../../http/dto-fields';
import { LookupReloader } from '../../predictions/lookup-reloader';
import { PredictionAccuracy } from '../../predictions/prediction-accuracy';
import { PredictionModeService } from '../../predictions/prediction-mode.service';
import { PredictionsService } from '../../predictions/predictions.service';
import { RemoteSource } from '../../predictions/sources/remote.source';
import { PredictorHealthDto } from './dto/health.dto';
import { ModelsAnswerDto } from './dto/models.dto';
import { NothingKnownDto, PredictAnswerDto, PredictDto } from './dto/predict.dto';
import { PredictorRoute } from './predictor-route';
import { modelList, predicted, predictorHealth, toQuery } from './predictor.mapper';

const VIA = {
  name: 'via',
  required: false,
  description:
    'Services that the question has passed: one that has asked already is not asked again.',
  schema: { type: 'string', example: '1.1 foresail-0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10' },
};

/** What this scheduler knows of running times, for anyone who asks. */
@Controller('/predictor')
export class PredictorController {
  constructor(
    private readonly predictions: PredictionsService,
    private readonly accuracy: PredictionAccuracy,
    private readonly modes: PredictionModeService,
    private readonly remote: RemoteSource,
    private readonly lookup: LookupReloader,
  ) {}

  /**
   * Predict how long a task of a model would run.
   *
   * @remarks What the scheduler itself would believe, but for predictions in the metadata and the
   * default of which nothing is known.
   */
  @Post('/predict')
  @ApiHeader(VIA)
  @PredictorRoute({
    operationId: 'predict',
    answers: [PredictAnswerDto, NothingKnownDto],
    examples: {
      known: {
        status: 'success',
        message: null,
        model_type: 'llama-7b',
        quantiles: [0.1, 0.25, 0.5, 0.75, 0.9],
        quantile_predictions: [850, 1050, 1300, 1650, 2100],
        prediction_method: 'lookup',
        confidence: 0.81,
      },
      'nothing known': {
        status: 'error',
        message: 'nothing is known of model "gpt-9" with this metadata',
      },
    },
  })
  async predict(
    @Body() body: PredictDto,
    @Headers('via') via?: string,
  ): Promise<Plain<PredictAnswerDto> | Plain<NothingKnownDto>> {
    const query = toQuery(body, via);
    const prediction = await this.predictions.known(query);
    return predicted(query, prediction, (method) => this.accuracy.confidence(method, query.model));
  }

  /** Tell how the predictor is. */
  @Get('/health')
  @PredictorRoute({
    operationId: 'predictorHealth',
    answers: [PredictorHealthDto],
    examples: {
      healthy: {
        status: 'healthy',
        service: 'predictor',
        version: VERSION,
        total_models: 15,
        mode: 'default',
        remote: 'none',
        lookup: { records: 40, loaded_at: '2026-11-21T10:00:00.000Z', fault: null },
      },
    },
    hasBody: false,
  })
  health(): Plain<PredictorHealthDto> {
    return predictorHealth({
      totalModels: this.lookup.table.models.length,
      mode: this.modes.current,
      remote: this.remote.state,
      lookup: this.lookup.status,
    });
  }

  /** List the models of which something is known. */
  @Get('/models')
  @PredictorRoute({
    operationId: 'predictorModels',
    answers: [ModelsAnswerDto],
    examples: {
      'one model': {
        status: 'success',
        models: [
          {
            model_type: 'llama-7b',
            model_name: 'LLaMA 7B',
            total_predictions: 1500,
            hardware_types: ['A100', 'V100'],
            software_versions: ['vllm-0.2.0', 'vllm-0.2.1'],
          },
        ],
      },
    },
    hasBody: false,
  })
  models(): Plain<ModelsAnswerDto> {
    return modelList(this.lookup.table.models, (model) => this.predictions.countOf(model));
  }
}
