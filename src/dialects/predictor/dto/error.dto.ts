import { FaultDto } from '../../../http/dto/fault.dto';

/** A failure in the predictor's shape. */
export class PredictorErrorDto {
  /**
   * Always `error`.
   * @example 'error'
   */
  status!: 'error';

  /**
   * What went wrong, in one line: the thing, the value, what would be allowed.
   * @example 'model_type must be a string; got 7'
   */
  message!: string;

  /** Every fault of an invalid input (422); absent otherwise. */
  detail?: FaultDto[];
}
