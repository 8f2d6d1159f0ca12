/** The scheduler can take, place and record tasks. */
export class HealthDto {
  /**
   * Always `healthy`.
   * @example 'healthy'
   */
  status!: 'healthy';

  /**
   * Always `scheduler`.
   * @example 'scheduler'
   */
  service!: 'scheduler';

  /**
   * Version of the program.
   * @example '0.1.0'
   */
  version!: string;
}

/** It cannot, and says why. */
export class UnhealthyDto {
  /**
   * Always `unhealthy`.
   * @example 'unhealthy'
   */
  status!: 'unhealthy';

  /**
   * Always `scheduler`.
   * @example 'scheduler'
   */
  service!: 'scheduler';

  /**
   * Version of the program.
   * @example '0.1.0'
   */
  version!: string;

  /**
   * What is missing.
   * @example 'the database does not answer'
   */
  reason!: string;

  /**
   * The reason again, as other failures carry it.
   * @example 'the database does not answer'
   */
  message!: string;

  /**
   * The reason once more, as other failures carry it.
   * @example 'the database does not answer'
   */
  detail!: string;
}
