import { ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { FaultDto } from '../../../http/dto/fault.dto';

/** What every answer comes in. */
export abstract class EnvelopeDto {
  /**
   * The status of the HTTP answer.
   * @example 200
   */
  @ApiProperty({ type: 'integer' })
  status!: number;

  /**
   * `success`; of a failure what went wrong: the thing, the value, what would be allowed.
   * @example 'success'
   */
  message!: string;
}

/** What is told of a failure beside its message. */
export class AprFailureDto {
  /** Every fault of an input that is wrong; absent otherwise. */
  @ApiProperty({ type: 'array', items: { $ref: getSchemaPath(FaultDto) }, required: false })
  errors?: FaultDto[];
}

/** A failure. */
export class AprErrorDto extends EnvelopeDto {
  /** What is told beside the message: for wrong input every fault. */
  data!: AprFailureDto;
}
