/** Settings of the database under which a commit may be lost, in its own words. */
export class PostgresqlDto {
  /**
   * Version of the server.
   * @example '18.4'
   */
  version!: string;

  /**
   * `off`: a crash of its machine loses or corrupts accepted tasks.
   * @example 'on'
   */
  fsync!: string;

  /**
   * `off`: a crash of the server loses accepted tasks.
   * @example 'on'
   */
  synchronous_commit!: string;

  /**
   * `off`: a crash of its machine may corrupt rows.
   * @example 'on'
   */
  full_page_writes!: string;
}

/** What the scheduler stands on. */
export class HealthDetailsDto {
  /** The database, as it is set at present. */
  postgresql!: PostgresqlDto;
}

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

  /** What the scheduler stands on. */
  details!: HealthDetailsDto;
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
