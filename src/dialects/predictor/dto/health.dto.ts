/** The lookup table. */
export class LookupHealthDto {
  /**
   * Records in use.
   * @example 12
   */
  records!: number;

  /**
   * When they were read, as an ISO 8601 time.
   * @example '2026-11-21T10:00:00.000Z'
   */
  loaded_at!: string;

  /**
   * What is wrong with the file as it is now, so that older records are in use; null when nothing
   * is.
   * @example 'record 3: quantiles must ascend strictly between 0 and 1'
   */
  fault!: string | null;
}

/** How the predictor is. */
export class PredictorHealthDto {
  /**
   * Always `healthy`.
   * @example 'healthy'
   */
  status!: 'healthy';

  /**
   * Always `predictor`.
   * @example 'predictor'
   */
  service!: 'predictor';

  /**
   * Version of the program.
   * @example '0.1.0'
   */
  version!: string;

  /**
   * Models that are listed by `/predictor/models`.
   * @example 15
   */
  total_models!: number;

  /**
   * Where predictions come from: `default` or `lookup_table`.
   * @example 'default'
   */
  mode!: 'default' | 'lookup_table';

  /**
   * The other predictor service: `none` is configured, it is `asked`, or `skipped` for its faults.
   * @example 'asked'
   */
  remote!: 'none' | 'asked' | 'skipped';

  /** The lookup table; null when no file is configured. */
  lookup!: LookupHealthDto | null;
}
