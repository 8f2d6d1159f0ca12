import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';
import {
  FromNumericString,
  IsJsonObject,
  Nested,
  NestedList,
  type JsonObject,
} from '../../../http/dto-fields';
import {
  LARGEST_BATCH,
  LEAST_PRIORITY,
  LONGEST_NAME,
  LONGEST_PATH,
  LONGEST_TIMEOUT_SEC,
  MOST_OF_A_RESOURCE,
  MOST_PRIORITY,
  MOST_RETRIES,
} from './limits';

/** What a job needs of a host while it is there. */
export class ResourceRequestDto {
  /**
   * Cores, 0 or more. Default: 1.
   * @example 4
   */
  @ApiProperty({ type: 'number', required: false, default: 1 })
  @FromNumericString()
  @IsNumber()
  @Min(0)
  @Max(MOST_OF_A_RESOURCE)
  cpu = 1;

  /**
   * Memory in GB, 0 or more. Default: 2.
   * @example 8
   */
  @ApiProperty({ type: 'number', required: false, default: 2 })
  @FromNumericString()
  @IsNumber()
  @Min(0)
  @Max(MOST_OF_A_RESOURCE)
  memory_gb = 2;

  /**
   * Slots, 1 or more. Default: 1.
   * @example 1
   */
  @ApiProperty({ type: 'integer', required: false, default: 1 })
  @FromNumericString()
  @IsInt()
  @Min(1)
  @Max(MOST_OF_A_RESOURCE)
  slots = 1;

  /**
   * Tokens of the licence pool of its tool, 0 or more; without such a pool they mean nothing.
   * Default: 1.
   * @example 1
   */
  @ApiProperty({ type: 'integer', required: false, default: 1 })
  @FromNumericString()
  @IsInt()
  @Min(0)
  @Max(MOST_OF_A_RESOURCE)
  license_tokens = 1;

  /**
   * Tool that it runs: the licence pool of that name is drawn from, else the one called `default`.
   * Default: none in particular.
   * @example 'innovus-21.1'
   */
  @ApiProperty({ type: 'string', required: false, default: '' })
  @IsString()
  @MaxLength(LONGEST_NAME)
  tool_version = '';

  /**
   * Labels that its host must have. Default: none.
   * @example { "tool": "innovus" }
   */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  @IsJsonObject()
  host_labels: JsonObject = {};
}

/** `POST /scheduler/jobs`, and a job of a batch: or an array of jobs that differ in their environment. */
export class SubmitJobDto {
  /**
   * What is run, by `sh -c`.
   * @example 'bash -lc "echo start && sleep 5 && echo done"'
   */
  @IsString()
  @Matches(/\S/, { message: '$property must be a command: not empty, not blank' })
  command!: string;

  /**
   * Project, 1 to 200 characters. Default: `default`.
   * @example 'P1'
   */
  @ApiProperty({ type: 'string', required: false, default: 'default' })
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_NAME)
  project = 'default';

  /**
   * Design, up to 200 characters. Default: empty.
   * @example 'top'
   */
  @ApiProperty({ type: 'string', required: false, default: '' })
  @IsString()
  @MaxLength(LONGEST_NAME)
  design = '';

  /**
   * Whose it is, 1 to 200 characters. Default: `unknown`.
   * @example 'cad_user'
   */
  @ApiProperty({ type: 'string', required: false, default: 'unknown' })
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_NAME)
  owner = 'unknown';

  /**
   * Higher goes first, a whole number from -1000000 to 1000000. Default: 1.
   * @example 2
   */
  @ApiProperty({ type: 'integer', required: false, default: 1 })
  @FromNumericString()
  @IsInt()
  @Min(LEAST_PRIORITY)
  @Max(MOST_PRIORITY)
  priority = 1;

  /**
   * Seconds that one try may take, up to a year; 0: as long as it takes. Default: 0.
   * @example 3600
   */
  @ApiProperty({ type: 'number', required: false, default: 0 })
  @FromNumericString()
  @IsNumber()
  @Min(0)
  @Max(LONGEST_TIMEOUT_SEC)
  timeout_sec = 0;

  /**
   * How often it is tried again after it failed, 0 to 100. Default: 0.
   * @example 1
   */
  @ApiProperty({ type: 'integer', required: false, default: 0 })
  @FromNumericString()
  @IsInt()
  @Min(0)
  @Max(MOST_RETRIES)
  retry_limit = 0;

  /** What it needs of a host. Default: one slot, one core, 2 GB. */
  @Nested(() => ResourceRequestDto)
  @ApiProperty({
    type: () => ResourceRequestDto,
    required: false,
    example: { cpu: 4, memory_gb: 8, slots: 1, host_labels: { tool: 'innovus' } },
  })
  resource_request = new ResourceRequestDto();

  /**
   * Folder that it runs in: absolute and within the configured ones, or `.`, a folder of its own.
   * Default: `.`.
   * @example '/tmp'
   */
  @ApiProperty({ type: 'string', required: false, default: '.' })
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_PATH)
  workdir = '.';

  /**
   * Variables of its environment, by names as `[A-Za-z_][A-Za-z0-9_]*`. Default: none.
   * @example { "CORNER": "ss" }
   */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  @IsJsonObject()
  env: JsonObject = {};

  /**
   * In a batch: so many jobs alike, each of which finds its place, from 0, in
   * `FORESAIL_ARRAY_INDEX`. Default: one job, which is no array.
   * @example 3
   */
  @ApiProperty({ type: 'integer', required: false })
  @IsOptional()
  @FromNumericString()
  @IsInt()
  @Min(1)
  @Max(LARGEST_BATCH)
  count?: number;

  /**
   * In a batch: one job for each, which finds its place in `FORESAIL_ARRAY_INDEX` and its own parameter in
   * `FORESAIL_ARRAY_PARAMETER`. Not beside `count`.
   * @example ["ss", "tt", "ff"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(LARGEST_BATCH)
  @IsString({ each: true })
  parameters?: string[];
}

/** `POST /scheduler/jobs/batch` */
export class SubmitJobsDto {
  /**
   * The jobs, 1 to 2 000, those of arrays counted one by one.
   * @example [{ "command": "make -C /proj/top sta", "parameters": ["ss", "tt"] }]
   */
  @NestedList(() => SubmitJobDto)
  @ArrayMinSize(1)
  @ArrayMaxSize(LARGEST_BATCH)
  jobs!: SubmitJobDto[];
}
