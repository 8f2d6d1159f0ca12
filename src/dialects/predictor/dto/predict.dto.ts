import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength, MinLength } from 'class-validator';
import { LONGEST_QUEUE_NAME } from '../../../core/units';
import { IsJsonObject, type JsonObject } from '../../../http/dto-fields';

/** `POST /predictor/predict` */
export class PredictDto {
  /**
   * Model of the task, 1 to 256 characters.
   * @example 'llama-7b'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_QUEUE_NAME)
  model_type!: string;

  /**
   * Facts about the task: `model_name`, `hardware`, `software_name`, `software_version`,
   * `input_tokens`, `output_tokens`, `batch_size`, and whatever else a predictor may know how to
   * use. Default: none.
   * @example { "hardware": "A100", "software_name": "vllm", "input_tokens": 100 }
   */
  @ApiProperty({ required: false })
  @IsJsonObject()
  metadata: JsonObject = {};
}

/** How long such a task will run. */
export class PredictAnswerDto {
  /**
   * Always `success`.
   * @example 'success'
   */
  status!: 'success';

  /**
   * Always null.
   * @example null
   */
  @ApiProperty({ type: 'null' })
  message!: null;

  /**
   * The model that was asked for.
   * @example 'llama-7b'
   */
  model_type!: string;

  /**
   * Levels from 0 to 1, ascending.
   * @example [0.1, 0.5, 0.9]
   */
  quantiles!: number[];

  /**
   * Running times in ms at these levels, ascending, on an instance of speed 1.
   * @example [850, 1300, 2100]
   */
  quantile_predictions!: number[];

  /**
   * Where it comes from: `remote` (another predictor service), `learned` or `lookup`.
   * @example 'lookup'
   */
  prediction_method!: string;

  /**
   * Share of the last 200 outcomes of this source and model that fell inside its 80 % interval; 0.5
   * before 20 outcomes.
   * @example 0.81
   */
  confidence!: number;
}

/** Nothing is known of this model. */
export class NothingKnownDto {
  /**
   * Always `error`.
   * @example 'error'
   */
  status!: 'error';

  /**
   * What is not known.
   * @example 'nothing is known of model "gpt-9" with this metadata'
   */
  message!: string;
}
