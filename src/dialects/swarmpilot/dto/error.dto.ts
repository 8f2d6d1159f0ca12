import { ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { FaultDto } from '../../../http/dto/fault.dto';

/** A failure in SwarmPilot's shape. */
export class SwarmpilotErrorDto {
  /**
   * Always `error`.
   * @example 'error'
   */
  status!: 'error';

  /**
   * What went wrong, in one line: the thing, the value, what would be allowed.
   * @example 'no instance is registered for model "llama"'
   */
  message!: string;

  /** The message again; for invalid input (422) every fault. */
  @ApiProperty({
    oneOf: [{ type: 'string' }, { type: 'array', items: { $ref: getSchemaPath(FaultDto) } }],
    example: 'no instance is registered for model "llama"',
  })
  detail!: string | FaultDto[];
}
