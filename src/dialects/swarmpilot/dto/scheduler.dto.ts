import { IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import { LONGEST_QUEUE_NAME } from '../../../core/units';
import { Nullable } from '../../../http/dto-fields';

const LONGEST_STRATEGY_NAME = 100;
const LONGEST_MODE_NAME = 100;

/** `POST /scheduler/set` */
export class SetStrategyDto {
  /**
   * Strategy that places from the next placement on: `earliest`, `shortest_queue`, `round_robin`,
   * `weighted`, `probabilistic`, or one that was loaded at start.
   * @example 'shortest_queue'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_STRATEGY_NAME)
  name!: string;

  /**
   * Only the queue of this model, 1 to 256 characters. Default: every queue without a strategy of
   * its own.
   * @example 'llama-3-8b'
   */
  @IsOptional()
  @Nullable()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_QUEUE_NAME)
  model_name?: string | null;
}

/** `POST /scheduler/predict_mode` */
export class SetPredictModeDto {
  /**
   * Where predictions come from, beside the tasks' own: `default` (predictor service, what was
   * learned, lookup table) or `lookup_table`.
   * @example 'default'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_MODE_NAME)
  mode!: string;
}

/** What became of a setting. */
export class SettingAnswerDto {
  /**
   * `error` for a name that is not known.
   * @example 'success'
   */
  status!: 'success' | 'error';

  /**
   * `OK`, or the names that are known.
   * @example 'OK'
   */
  message!: string;
}
