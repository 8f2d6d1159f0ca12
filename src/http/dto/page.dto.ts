import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';
import { FromNumericString } from '../dto-fields';

/** Keys hold names of up to 256 characters, each of which may take twelve in a cursor. */
const LONGEST_CURSOR = 8_192;

/** Which part of a list is asked for. */
export class PageQueryDto {
  /**
   * How many at most, 1 to 1000.
   * @example 100
   */
  @ApiProperty({ type: 'integer', required: false, default: 100, minimum: 1, maximum: 1000 })
  @FromNumericString()
  @IsInt()
  @Min(1)
  @Max(1000)
  limit = 100;

  /**
   * Where to go on: the `next_cursor` of the page before. Absent: from the beginning.
   * @example 'WyJpbnN0YW5jZXMiLCJsbGFtYS0zLThiIl0'
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_CURSOR)
  cursor?: string;
}
