import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { LONGEST_POOL_NAME, MOST_TOKENS } from '../../config/scheduling-settings';

/** The path of calls about one licence pool. */
export class LicencePoolPathDto {
  /**
   * Name of the pool: that of a tool, or `default` for all tools without one of their own.
   * @example 'innovus-21.1'
   */
  @IsString()
  @MaxLength(LONGEST_POOL_NAME)
  @Matches(/^(?!\s*$)\P{Cc}+$/u, {
    message: '$property must be a name: not blank, without control characters',
  })
  name!: string;
}

/** `PUT /v1/licence-pools/:name` */
export class SetLicencePoolDto {
  /**
   * Tokens that it has, 0 to 1000000; fewer than are used is allowed: what runs goes on.
   * @example 10
   */
  @ApiProperty({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(MOST_TOKENS)
  tokens!: number;
}

/** A pool of licence tokens, from which jobs on all hosts draw. */
export class LicencePoolDto {
  /**
   * Name of the pool.
   * @example 'innovus-21.1'
   */
  name!: string;

  /**
   * Tokens that it has.
   * @example 10
   */
  @ApiProperty({ type: 'integer' })
  tokens!: number;

  /**
   * Tokens that jobs at hosts have; above `tokens` where those were lowered.
   * @example 4
   */
  @ApiProperty({ type: 'integer' })
  used!: number;
}

/** `GET /v1/licence-pools` */
export class LicencePoolsDto {
  /** Every pool, by name. Without any there is no limit. */
  licence_pools!: LicencePoolDto[];
}
