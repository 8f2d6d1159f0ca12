import { ApiProperty } from '@nestjs/swagger';
import { EnvelopeDto } from './envelope.dto';

/** Jobs and hosts in figures. */
export class SummaryDto {
  /**
   * Jobs on the record.
   * @example 100
   */
  @ApiProperty({ type: 'integer' })
  total_jobs!: number;

  /**
   * How many stand how, by status.
   * @example { "SUCCESS": 97, "FAILED": 1, "RUNNING": 2 }
   */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  status_counts!: Readonly<Record<string, number>>;

  /**
   * Jobs that have ended, in whatever way.
   * @example 98
   */
  @ApiProperty({ type: 'integer' })
  finished_jobs!: number;

  /**
   * Share of those that ended with success, from 0 to 1 with four decimals; 0 while none has ended.
   * @example 0.9898
   */
  success_rate!: number;

  /**
   * Hosts that are registered.
   * @example 5
   */
  @ApiProperty({ type: 'integer' })
  total_hosts!: number;

  /**
   * Slots of all of them.
   * @example 40
   */
  total_slots!: number;

  /**
   * Slots that jobs have.
   * @example 2
   */
  used_slots!: number;
}

/** Jobs and hosts in figures. */
export class SummaryAnswerDto extends EnvelopeDto {
  /** The figures as they are now. */
  data!: SummaryDto;
}
