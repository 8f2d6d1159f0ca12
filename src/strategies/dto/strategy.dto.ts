import type { Binding } from '../../core/strategy';

/** A strategy that may be chosen. */
export class StrategyDto {
  /**
   * Its name, as it is set for a queue.
   * @example 'earliest'
   */
  name!: string;

  /**
   * When it ties a task to an instance: `late` when a slot is free, `early` at submission.
   * @example 'late'
   */
  binding!: Binding;
}

/** `GET /v1/strategies` */
export class StrategiesDto {
  /** Those that come with the scheduler, then those that were loaded at start. */
  strategies!: StrategyDto[];

  /**
   * Strategy of queues for which none was set.
   * @example 'earliest'
   */
  default!: string;
}
