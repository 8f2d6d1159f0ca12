import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import { instanceId, type InstanceId } from '../core/units';
import type { DialectRoute } from '../http/dialect';
import type { Plain } from '../http/dto-fields';
import { NativeRoute } from '../http/native-route';
import { Cursors } from '../http/page';
import {
  PredictionPreviewDto,
  PredictionQuestionDto,
  PredictionsDto,
  PredictionsQueryDto,
} from './dto/prediction.dto';
import { PredictionAccuracy } from './prediction-accuracy';
import { accuracyAnswer, previewAnswer } from './predictions.mapper';
import { PredictionsService } from './predictions.service';

/** The native calls about predictions. */
export const PREDICTIONS_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/v1/predictions', access: 'dialect' },
  { method: 'POST', path: '/v1/predictions', access: 'dialect' },
];

const CURSORS = new Cursors('predictions', 'text', 'text', 'text');

/** Predictions, as an operator looks at them. */
@Controller('/v1/predictions')
export class PredictionsController {
  constructor(
    private readonly predictions: PredictionsService,
    private readonly accuracy: PredictionAccuracy,
    private readonly fleet: Fleet,
  ) {}

  /**
   * Tell how well predictions held.
   *
   * @remarks By model, source and instance, each over its last 200 tasks that succeeded and whose
   * worker said how long they ran. When a term begins, the last 5 000 tasks are looked back at.
   */
  @Get()
  @NativeRoute({
    operationId: 'listPredictions',
    answer: PredictionsDto,
    example: {
      predictions: [
        {
          model: 'llama-3-8b',
          source: 'learned',
          instance_id: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
          instance_name: 'gpu7-8100',
          outcomes: 200,
          mape: 0.21,
          pinball_ms: 84.5,
          coverage80: 0.805,
          bias: 1.02,
        },
      ],
      next_cursor: null,
    },
    fails: ['unknown_instance'],
  })
  list(
    @Query() { instance, limit, cursor, ...filter }: PredictionsQueryDto,
  ): Plain<PredictionsDto> {
    const at = instance === undefined ? {} : { instanceId: this.instanceOf(instance) };
    const found = this.accuracy.list({ ...filter, ...at }, CURSORS.read(cursor), limit + 1);
    const { items, nextCursor } = CURSORS.page(found, limit, (one) => [
      one.model,
      one.source,
      one.instanceId,
    ]);
    const predictions = items.map((one) => accuracyAnswer(one, this.nameOf(one.instanceId)));
    return { predictions, next_cursor: nextCursor };
  }

  /**
   * Tell what a task would be predicted, and by which source.
   *
   * @remarks Nothing is submitted, and it does not count as a prediction. A predictor service is
   * asked as for a task.
   */
  @Post()
  @NativeRoute({
    operationId: 'previewPrediction',
    answer: PredictionPreviewDto,
    example: {
      model: 'llama-3-8b',
      source: 'learned',
      quantiles: [0.1, 0.25, 0.5, 0.75, 0.9],
      quantile_predictions: [850, 1050, 1300, 1650, 2100],
      mean_ms: 1375.5,
      deviation_ms: 480.25,
      confidence: 0.81,
    },
    hasBody: true,
  })
  async preview(
    @Body() { model, metadata }: PredictionQuestionDto,
  ): Promise<Plain<PredictionPreviewDto>> {
    const prediction = await this.predictions.preview({ model, metadata });
    return previewAnswer(model, prediction, this.accuracy.confidence(prediction.method, model));
  }

  /** One that has left the fleet is still found by its id, while something is known of it. */
  private instanceOf(ref: string): InstanceId {
    const known = this.fleet.findInstance(ref)?.id;
    if (known !== undefined) return known;
    if (this.accuracy.knowsInstance(ref)) return instanceId(ref);
    const message = `no instance ${JSON.stringify(ref)} is registered`;
    throw new SchedulerError('unknown_instance', message);
  }

  private nameOf(id: InstanceId): string | null {
    return this.fleet.instances.get(id)?.name ?? null;
  }
}
