import { ApiProperty } from '@nestjs/swagger';
import { FaultDto } from './fault.dto';

/** A failure of the native API (RFC 9457), sent as `application/problem+json`. */
export class ProblemDto {
  /**
   * Names the kind of failure: `urn:foresail:problem:` and the code.
   * @example 'urn:foresail:problem:unknown_task'
   */
  type!: string;

  /**
   * The kind of failure in a few words, always the same for one code.
   * @example 'Unknown task'
   */
  title!: string;

  /**
   * The HTTP status, repeated.
   * @example 404
   */
  @ApiProperty({ type: 'integer' })
  status!: number;

  /**
   * What went wrong this time: the thing, the value, what would be allowed.
   * @example 'there is no task "t-17"'
   */
  detail!: string;

  /**
   * Id of the request, as in the `X-Request-Id` header and in the log.
   * @example '0c3e8a52-8f1b-4d1c-9d54-4a5be2f3a6f1'
   */
  instance!: string;

  /**
   * Code of the failure, for programs.
   * @example 'unknown_task'
   */
  code!: string;

  /** Every fault of an input; absent for other failures. */
  errors?: FaultDto[];
}
