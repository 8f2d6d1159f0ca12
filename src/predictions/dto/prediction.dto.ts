import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import { IsJsonObject, type JsonObject } from '../../http/dto-fields';
import { PageQueryDto } from '../../http/dto/page.dto';
import { PREDICTION_SOURCES, type PredictionSourceName } from '../prediction-source';

/** Characters of a model's name. */
const LONGEST_MODEL_NAME = 256;
const LONGEST_NAME = 512;

/** `GET /v1/predictions` */
export class PredictionsQueryDto extends PageQueryDto {
  /**
   * Only predictions for this model. Default: all.
   * @example 'llama-3-8b'
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_MODEL_NAME)
  model?: string;

  /**
   * Only predictions of this source. Default: all.
   * @example 'learned'
   */
  @ApiProperty({ enum: PREDICTION_SOURCES, required: false })
  @IsOptional()
  @IsIn(PREDICTION_SOURCES)
  source?: PredictionSourceName;

  /**
   * Only of tasks that ran at this instance: its id, `host:port` or its own name. Default: all.
   * @example 'gpu7-8100'
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_NAME)
  instance?: string;
}

/** How predictions of one source held, for tasks of one model that ran on one instance. */
export class PredictionAccuracyDto {
  /**
   * Model of the tasks.
   * @example 'llama-3-8b'
   */
  model!: string;

  /**
   * Where the predictions came from.
   * @example 'learned'
   */
  source!: string;

  /**
   * Where the tasks ran.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  instance_id!: string;

  /**
   * What it calls itself; null when it is no longer in service.
   * @example 'gpu7-8100'
   */
  instance_name!: string | null;

  /**
   * Outcomes that the figures stand on: the last ones, 200 at most.
   * @example 200
   */
  @ApiProperty({ type: 'integer' })
  outcomes!: number;

  /**
   * Mean absolute error of the median, as a share of the real time.
   * @example 0.21
   */
  mape!: number;

  /**
   * Mean pinball loss over the levels .1 .25 .5 .75 .9, in ms.
   * @example 84.5
   */
  pinball_ms!: number;

  /**
   * Share of real times inside the 80 % interval.
   * @example 0.805
   */
  coverage80!: number;

  /**
   * Geometric mean of predicted median over real time: above 1 the predictions are too long.
   * @example 1.02
   */
  bias!: number;
}

/** How predictions held. */
export class PredictionsDto {
  /** By model, source and instance. */
  predictions!: PredictionAccuracyDto[];

  /**
   * Leads to the next page; null on the last one.
   * @example 'WyJwcmVkaWN0aW9ucyIsImxsYW1hLTMtOGIiLCJsZWFybmVkIiwiMDE5MyJd'
   */
  next_cursor!: string | null;
}

/** `POST /v1/predictions` */
export class PredictionQuestionDto {
  /**
   * Model of the task, 1 to 256 characters.
   * @example 'llama-3-8b'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_MODEL_NAME)
  model!: string;

  /**
   * Metadata that the task would have. Default: none.
   * @example { "input_tokens": 100 }
   */
  @ApiProperty({ required: false })
  @IsJsonObject()
  metadata: JsonObject = {};
}

/** What a task would be predicted. */
export class PredictionPreviewDto {
  /**
   * The model that was asked for.
   * @example 'llama-3-8b'
   */
  model!: string;

  /**
   * Where it comes from: `metadata`, `remote`, `learned`, `lookup` or `default`.
   * @example 'learned'
   */
  source!: string;

  /**
   * Levels from 0 to 1, ascending.
   * @example [0.1, 0.25, 0.5, 0.75, 0.9]
   */
  quantiles!: number[];

  /**
   * Running times in ms at these levels, ascending, on an instance of speed 1.
   * @example [850, 1050, 1300, 1650, 2100]
   */
  quantile_predictions!: number[];

  /**
   * Mean of the running time, in ms.
   * @example 1375.5
   */
  mean_ms!: number;

  /**
   * Standard deviation of the running time, in ms.
   * @example 480.25
   */
  deviation_ms!: number;

  /**
   * Share of the last 200 outcomes of this source and model that fell inside its 80 % interval; 0.5
   * before 20 outcomes.
   * @example 0.81
   */
  confidence!: number;
}
