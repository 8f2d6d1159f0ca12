import { ApiProperty } from '@nestjs/swagger';

/** `GET /readyz` */
export class ReadinessDto {
  /**
   * Always `ready`.
   * @example 'ready'
   */
  status!: 'ready';

  /**
   * Number of the term in which this process leads.
   * @example 3
   */
  @ApiProperty({ type: 'integer' })
  epoch!: number;
}
