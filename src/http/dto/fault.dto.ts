import { ApiProperty } from '@nestjs/swagger';

/** One thing that is wrong with an input. */
export class FaultDto {
  /**
   * Where: `body`, `query` or `path`, then names and positions.
   */
  @ApiProperty({
    type: 'array',
    items: { oneOf: [{ type: 'string' }, { type: 'integer' }] },
    example: ['body', 'port'],
  })
  loc!: (string | number)[];

  /**
   * What is wrong, with the value and what would be allowed.
   * @example 'port must not be greater than 65535; got 70000'
   */
  msg!: string;

  /**
   * Kind of the fault.
   * @example 'range'
   */
  @ApiProperty({ enum: ['missing', 'type', 'length', 'enum', 'range', 'value'] })
  type!: string;
}
