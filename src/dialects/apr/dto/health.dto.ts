import { EnvelopeDto } from './envelope.dto';

/** Who answers. */
export class ServiceDto {
  /**
   * Always `apr_scheduler`.
   * @example 'apr_scheduler'
   */
  service!: 'apr_scheduler';
}

/** The scheduler is there. */
export class HealthAnswerDto extends EnvelopeDto {
  /** Who answers. */
  data!: ServiceDto;
}
