import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
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
import { Nested, Nullable } from '../../../http/dto-fields';
import {
  LATEST_TIMESTAMP,
  LONGEST_NAME,
  LONGEST_TAG,
  LONGEST_TASK_ID,
  MOST_TAGS,
  MOST_TASK_IDS,
  MOST_TASKS,
} from './limits';
import { ResourcesDto } from './resources.dto';
import { PRINTABLE, PRINTABLE_RULE, TAG, TAG_RULE } from './texts';

/** `POST /api/v1/heartbeat` */
export class HeartbeatDto {
  /**
   * Name of the worker, 1 to 255 characters. The first heartbeat registers it.
   * @example 'worker-001'
   */
  @IsString()
  @MaxLength(LONGEST_NAME)
  @Matches(PRINTABLE, PRINTABLE_RULE)
  worker_id!: string;

  /**
   * Where clients reach it, 1 to 255 characters: passed on as it is, never called from here.
   * @example '192.168.1.100:9000'
   */
  @IsString()
  @MaxLength(LONGEST_NAME)
  @Matches(PRINTABLE, PRINTABLE_RULE)
  address!: string;

  /**
   * What it can do, at most 256 tags of at most 128 characters; null and empty tags count for
   * nothing. Default: none.
   * @example ["gpu", "cuda-12.0"]
   */
  @ApiProperty({ type: 'array', items: { type: 'string' }, nullable: true, required: false })
  @Nullable()
  @IsArray()
  @ArrayMaxSize(MOST_TAGS)
  @IsString({ each: true })
  @MaxLength(LONGEST_TAG, { each: true })
  @Matches(TAG, TAG_RULE)
  resource_tags: string[] | null = [];

  /**
   * Tasks that it runs at once; 0: none, it is full.
   * @example 30
   */
  @ApiProperty({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(MOST_TASKS)
  max_tasks!: number;

  /**
   * Tasks that it has now; may be above `max_tasks`.
   * @example 5
   */
  @ApiProperty({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(MOST_TASKS)
  current_tasks!: number;

  /**
   * Unix seconds by the worker's own clock when its figures were taken, with fractions where it has
   * them. Orders the heartbeats of one worker, and is compared with nothing else.
   * @example 1763719200.25
   */
  @IsNumber()
  @Min(0)
  @Max(LATEST_TIMESTAMP)
  timestamp!: number;

  /**
   * Ids of the tasks that it has, at most 10 000: the count is exact then, and a placement that is
   * not among them any more has ended. Default, and null: it only counts them.
   * @example ["task-001"]
   */
  @ApiProperty({ type: 'array', items: { type: 'string' }, nullable: true, required: false })
  @IsOptional()
  @Nullable()
  @IsArray()
  @ArrayMaxSize(MOST_TASK_IDS)
  @IsString({ each: true })
  @MinLength(1, { each: true })
  @MaxLength(LONGEST_TASK_ID, { each: true })
  task_ids?: string[] | null;

  /**
   * What it has that tasks may reserve. Default, and null: nothing.
   * @example { "cpu": 32, "memory_gb": 128, "gpu_memory_gb": 48 }
   */
  @ApiProperty({ type: ResourcesDto, nullable: true, required: false })
  @IsOptional()
  @Nullable()
  @Nested(() => ResourcesDto)
  resources?: ResourcesDto | null;

  /**
   * True: it says goodbye and gets nothing more. Default: false.
   * @example false
   */
  @IsBoolean()
  leaving = false;
}

/** A heartbeat was taken. */
export class HeartbeatAnswerDto {
  /**
   * Always `ok`.
   * @example 'ok'
   */
  status!: 'ok';
}
