import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';
import { NestedClosed, Nullable } from '../../../http/dto-fields';
import {
  LEAST_PRIORITY,
  LONGEST_TAG,
  LONGEST_TASK_ID,
  LONGEST_WAIT_MS,
  MOST_PRIORITY,
  MOST_TAGS,
} from './limits';
import { ResourcesDto } from './resources.dto';
import { TAG, TAG_RULE } from './texts';

/** `POST /api/v1/schedule` */
export class ScheduleDto {
  /**
   * The client's own id of the task, 1 to 256 characters. While it is placed, asking again gets the
   * same worker. Without it the answer is 503.
   * @example 'task-001'
   */
  @ApiProperty({ type: 'string', minLength: 1 })
  @Nullable()
  @IsString()
  @MaxLength(LONGEST_TASK_ID)
  task_id: string | null = '';

  /**
   * Tags that the worker has to have, all of them: at most 256 of at most 128 characters; null and
   * empty tags count for nothing. Default: none.
   * @example ["gpu"]
   */
  @ApiProperty({ type: 'array', items: { type: 'string' }, nullable: true, required: false })
  @Nullable()
  @IsArray()
  @ArrayMaxSize(MOST_TAGS)
  @IsString({ each: true })
  @MaxLength(LONGEST_TAG, { each: true })
  @Matches(TAG, TAG_RULE)
  required_tags: string[] | null = [];

  /**
   * Who goes first among those that wait: the higher one, from -1000 to 1000. Default: 0.
   * @example 0
   */
  @ApiProperty({ type: 'integer', required: false, default: 0 })
  @IsInt()
  @Min(LEAST_PRIORITY)
  @Max(MOST_PRIORITY)
  priority = 0;

  /**
   * What is reserved for the task, beside room for it; no other members. Default, and null: nothing.
   * @example { "cpu": 4, "memory_gb": 16, "gpu_memory_gb": 24 }
   */
  @ApiProperty({ type: ResourcesDto, nullable: true, required: false })
  @IsOptional()
  @Nullable()
  @NestedClosed(() => ResourcesDto)
  resources?: ResourcesDto | null;

  /**
   * How long to wait in line when no worker fits now, in ms from 0 to 300 000. Default: 0, the
   * answer comes at once.
   * @example 5000
   */
  @ApiProperty({ type: 'integer', required: false, default: 0 })
  @IsInt()
  @Min(0)
  @Max(LONGEST_WAIT_MS)
  wait_ms = 0;
}

/** Where a task goes. */
export class PlacedAtDto {
  /**
   * Name of the worker.
   * @example 'worker-001'
   */
  worker_id!: string;

  /**
   * Where the client reaches it, as the worker has said.
   * @example '192.168.1.100:9000'
   */
  address!: string;
}

/** `POST /api/v1/release` */
export class ReleaseDto {
  /**
   * The task whose placement is over, 1 to 256 characters.
   * @example 'task-001'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_TASK_ID)
  task_id!: string;
}

/** Nothing is placed for the task any more. */
export class ReleasedDto {
  /**
   * Always `ok`: a repeat is as good as the first call.
   * @example 'ok'
   */
  status!: 'ok';

  /**
   * True when this call has ended a placement; false when there was none.
   * @example true
   */
  released!: boolean;
}
